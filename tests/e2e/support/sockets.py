"""The host's TCP sockets, as /proc/net/tcp shows them, and ports to choose from."""

import socket
from dataclasses import dataclass
from pathlib import Path

ESTABLISHED = "01"
TIME_WAIT = "06"


@dataclass(frozen=True)
class Socket:
    """One line of /proc/net/tcp, addresses as the kernel prints them."""

    local: str
    remote: str
    state: str

    @property
    def ports(self) -> set[int]:
        return {int(end.rpartition(":")[2], 16) for end in (self.local, self.remote)}


def sockets_of_port(port: int, state: str) -> set[Socket]:
    """The IPv4 sockets of a state that have the port at either end."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    found = {Socket(*line.split()[1:4]) for line in lines}
    return {each for each in found if each.state == state and port in each.ports}


def unused_port() -> int:
    """A port that was free a moment ago: who uses it has to be ready to try another one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def has_ipv6() -> bool:
    """Whether ::1 can be bound."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
