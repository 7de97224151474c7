"""Which system calls a unit's SystemCallFilter lets through."""

import subprocess
from functools import cache
from pathlib import Path


@cache
def _members(group: str) -> frozenset[str]:
    """The calls of a group of systemd's, those of the groups in it included."""
    listing = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", group], check=True,
                             capture_output=True, text=True, timeout=10).stdout
    names = [line.strip() for line in listing.splitlines()[1:]]
    return frozenset().union(*(_expand(name) for name in names if name and not name.startswith("#")))


def _expand(name: str) -> frozenset[str]:
    return _members(name) if name.startswith("@") else frozenset({name})


def allowed_calls(unit: Path) -> set[str]:
    """As systemd.exec(5) puts it: the first line makes it a list of what is allowed, each further one adds
    to it or, with "~", takes from it."""
    lines = [line.partition("=")[2] for line in unit.read_text().splitlines()
             if line.startswith("SystemCallFilter=")]
    if not lines or lines[0].startswith("~") or "" in lines:
        raise ValueError(f"{unit}: its SystemCallFilter does not begin with what is allowed")
    allowed = set(_members("@default"))
    for line in lines:
        calls = set().union(*(_expand(name) for name in line.removeprefix("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed
