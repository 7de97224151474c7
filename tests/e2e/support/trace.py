"""The system calls of a program, as strace sees them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.case import wait_until

_CALL = re.compile(r"(?P<name>\w+)\((?P<rest>.*)")
_RESULT = re.compile(r"\)\s+= [^=]*$")
_ENDED = ("+++ exited with ", "+++ killed by ")
_SIGNAL = "--- "


@dataclass(frozen=True)
class Call:
    """A system call. The arguments are as strace prints them, with what each descriptor stands for."""

    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.name}({self.arguments})"


def parse_line(line: str) -> Call | None:
    """The call of a line; nothing where the line tells of a signal or of the thread's end."""
    if line.startswith((_SIGNAL, *_ENDED)):
        return None
    call = _CALL.fullmatch(line)
    if call is None:
        raise ValueError(f"no line of strace: {line!r}")
    return Call(call["name"], _RESULT.sub("", call["rest"]))


class Trace:
    """A trace of every thread, from execve() on, in a file for each."""

    def __init__(self, directory: Path) -> None:
        self._files = directory / "trace"

    def of(self, command: Sequence[str]) -> list[str]:
        """The command, traced. It keeps its process id: the tracer is its grandchild."""
        return ["strace", "--daemonize=grandchild", "--follow-forks", "--output-separately",
                "--decode-fds=all", "--string-limit=256", "--quiet=attach,personality",
                f"--output={self._files}", *command]

    def _threads(self) -> list[list[str]]:
        files = sorted(self._files.parent.glob(f"{self._files.name}.*"))
        return [file.read_text(errors="replace").splitlines() for file in files]

    def calls(self) -> list[Call]:
        """All calls, those of the first thread first. Waits until every thread has ended."""
        def all_ended() -> list[list[str]]:
            threads = self._threads()
            ended = all(lines and lines[-1].startswith(_ENDED) for lines in threads)
            return threads if ended else []

        threads = wait_until(all_ended, "strace has written down the end of every thread")
        return [call for lines in threads for line in lines if (call := parse_line(line))]
