"""Whether commands print what a page shows. The addresses, names and states of a page are those of the staged
situation; ports that the kernel chooses and amounts are not. 0 and 1 are answers, not amounts."""

import re

_ADDRESS = r"\d+\.\d+\.\d+\.\d+"
# A port of a service, from 1 to 9999, is part of the situation.
_SERVICE = r"(?<=:)\d{1,4}(?!\d)"
# A number that is no part of a name such as `ipv4`.
_NUMBER = r"(?<![\w])\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_ANSWER = r"(?<![\w.])[01](?![\w.])"
_TOKEN = re.compile(f"(?P<literal>{_ADDRESS}|{_SERVICE}|{_ANSWER})|(?P<number>{_NUMBER})|"
                    r"(?P<any>\.\.\.)|(?P<space>\s+)")


def _pattern(line: str) -> re.Pattern:
    pattern = ""
    end = 0
    for token in _TOKEN.finditer(line):
        pattern += re.escape(line[end:token.start()])
        pattern += {"literal": re.escape(token[0]), "number": r"\d+(?:\.\d+)?(?:e[+-]?\d+)?",
                    "any": ".*", "space": r"\s+"}[token.lastgroup]
        end = token.end()
    return re.compile(pattern + re.escape(line[end:]))


def missing_line(shown: str, printed: str) -> str | None:
    """The first line of what is shown that was not printed; nothing where all were, in this order. What was
    printed may have more lines."""
    remaining = iter([line.strip() for line in printed.splitlines()])
    for line in (line.strip() for line in shown.splitlines()):
        if not any(_pattern(line).fullmatch(other) for other in remaining):
            return line
    return None
