"""What can be said of pages without running them. Each function gives what is wrong, as text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pages import Page

SECTIONS = ["What it means", "How to confirm", "What to do", "What not to do", "When it is over"]
# Two screens.
MOST_LINES = 100

_URGENCY = re.compile(r"\*\*(?P<severity>Critical|Warning|Info): [^*]+\*\*")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# A name, or several as grep's alternatives: `timewait_ephemeral_ports(_blocked|_unused|)`.
_SERIES = re.compile(r"\btimewait_(?P<head>\w*)(?:\((?P<choices>[\w|]*)\)(?P<tail>\w*))?")
_HOW_TO = "(README.md#how-to-run-what-stands-on-the-pages)"
_PROGRAM = "timewait_exporter"
# Inline code that somebody would paste into a shell or a query, and no test runs.
_COMMAND = re.compile(r"`(?:(?:ss|sysctl|curl|nstat|grep|awk|ip|echo|kill|nsenter) [^`]+|"
                      r"(?:rate|increase|sum|max|topk)\([^`]+)`")


def severity_of(page: Page) -> str | None:
    """As its first paragraph says."""
    urgency = _URGENCY.search(page.text)
    return urgency["severity"].lower() if urgency else None


def wrong_shape(page: Page) -> Iterator[str]:
    """Against the form that every page of an alert or a rule has."""
    title, _, body = page.text.partition("\n\n")
    if title != f"# {page.name}":
        yield f"begins with {title!r}, not with its name"
    first = body.partition("\n\n")[0]
    if not _URGENCY.match(first) or "At once:" not in first:
        yield "its first paragraph does not begin with how urgent it is and go on with what to do at once"
    if _HOW_TO not in page.text:
        yield f"does not link to {_HOW_TO} for who has never run such commands"
    sections = re.findall(r"^## (.*)$", page.text, re.MULTILINE)
    if sections != SECTIONS:
        yield f"has the sections {sections}"
    if (lines := page.text.count("\n")) > MOST_LINES:
        yield f"has {lines} lines, more than {MOST_LINES}"
    commands = [block.text for block in page.blocks if block.language == "sh"]
    if not any(block.language == "promql" for block in page.blocks):
        yield "has no query"
    if not any("curl " in text for text in commands):
        yield "does not ask the exporter by curl, as a host without Prometheus has to"
    if not re.search(r"\bss\b", page.text):
        yield "does not say what ss shows"


def unclosed_fences(page: Page) -> Iterator[str]:
    if "```" in page.prose:
        yield "has a fence that no test sees: of another indentation than its end, or not closed"


def names_of_series(text: str) -> set[str]:
    names = set()
    for found in _SERIES.finditer(text):
        for choice in (found["choices"] or "").split("|"):
            names.add(f"timewait_{found['head']}{choice}{found['tail'] or ''}")
    return names - {_PROGRAM}


def unknown_series(page: Page, known: Iterable[str]) -> Iterator[str]:
    for name in sorted(names_of_series(page.text) - set(known)):
        yield f"names {name}, which the exporter does not have"


def commands_outside_of_blocks(page: Page) -> Iterator[str]:
    for command in _COMMAND.findall(page.prose):
        yield f"has a command where no test runs it: {command}"


def _anchors(path: Path) -> set[str]:
    """As GitHub makes them."""
    headings = _HEADING.findall(re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Page, path: Path) -> Iterator[str]:
    """`path` is where the page lies."""
    for link in _LINK.finditer(page.prose):
        file, _, anchor = link["target"].partition("#")
        if "://" in file:
            continue
        target = (path.parent / file).resolve() if file else path
        if not target.exists():
            yield f"links to {link['target']}, which is not there"
        elif anchor and anchor not in _anchors(target):
            yield f"links to {link['target']}, a heading that is not there"


def severities_of_alerts(rendered: str) -> dict[str, str]:
    """Alert names and severities of a file of rules."""
    found = re.split(r'"?\balert"?: *"?(\w+)"?', rendered)
    severities = {}
    for name, rule in zip(found[1::2], found[2::2]):
        severity = re.search(r'"?severity"?: *"?(\w+)"?', rule)
        severities[name] = severity[1] if severity else ""
    return severities


def wrong_set_of_pages(pages: Mapping[str, Page], severities: Mapping[str, str]) -> Iterator[str]:
    """Against the alerts or rules that there are, and their severities."""
    for name in sorted(severities.keys() - pages.keys()):
        yield f"{name} has no page"
    for name in sorted(pages.keys() - severities.keys()):
        yield f"{name}.md belongs to nothing that there is"
    for name in sorted(pages.keys() & severities.keys()):
        if severity_of(pages[name]) != severities[name]:
            yield f"{name}.md says {severity_of(pages[name])}; it is {severities[name]}"


def missing_in_index(index: Page, pages: Iterable[Page]) -> Iterator[str]:
    for page in pages:
        row = f"| [{page.name}]({page.name}.md) | {severity_of(page)} |"
        if row not in index.text:
            yield f"the index has no row that begins with {row}"
