"""The host's TCP sockets, as /proc/net/tcp shows them, and what the host has of IPv6."""

import socket
from dataclasses import dataclass
from pathlib import Path

ESTABLISHED = "01"
TIME_WAIT = "06"
CLOSE_WAIT = "08"


@dataclass(frozen=True)
class Socket:
    """One line of /proc/net/tcp, addresses as the kernel prints them."""

    local: str
    remote: str
    state: str

    @property
    def local_port(self) -> int:
        return int(self.local.rpartition(":")[2], 16)

    @property
    def ports(self) -> set[int]:
        return {int(end.rpartition(":")[2], 16) for end in (self.local, self.remote)}


def sockets_of_port(port: int, state: str) -> set[Socket]:
    """The IPv4 sockets of a state that have the port at either end."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    found = {Socket(*line.split()[1:4]) for line in lines}
    return {each for each in found if each.state == state and port in each.ports}


def has_ipv6() -> bool:
    """Whether ::1 can be bound."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
