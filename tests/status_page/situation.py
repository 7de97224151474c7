"""A host that runs out of ports, staged in a network namespace."""

import ctypes
import errno
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

from support.failing_connects import program_named

CLIENT = "192.0.2.10"
WEB = ("192.0.2.20", 80)
DATABASE = ("192.0.2.21", 3306)
API = ("192.0.2.22", 443)
CACHE = ("127.0.0.1", 6379)
BUSY = ("192.0.2.23", 8443)
SMALL = [("192.0.2.24", 9000 + i) for i in range(8)]
RANGE = (32768, 36767)
PORTS = RANGE[1] - RANGE[0] + 1

IP_BIND_ADDRESS_NO_PORT = 24

# A process of its own, because the page names it: connects so often to the address, and no port is left.
_FAIL = f"""
import errno, socket, sys
for _ in range(int(sys.argv[3])):
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_IP, {IP_BIND_ADDRESS_NO_PORT}, 1)
    client.bind((sys.argv[4], 0))
    try:
        client.connect((sys.argv[1], int(sys.argv[2])))
    except OSError as error:
        assert error.errno == errno.EADDRNOTAVAIL, error
    else:
        sys.exit("a port was left")
    client.close()
"""

CLONE_NEWNET = 0x40000000
# The seconds after each third of the TIME-WAIT sockets of API, where a picture is to show some of all ages.
PICTURE_STEPS = (14, 16, 18)


def enter_namespace() -> None:
    """A new network namespace for this thread and what it starts, with addresses and a small range of ports."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in {CLIENT, *(address for address, _ in (WEB, DATABASE, API, BUSY, *SMALL))}:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("%d %d\n" % RANGE)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Situation:
    """Sockets that stay as long as this object."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []
        self._listeners: dict[tuple[str, int], socket.socket] = {}

    def listen(self, address: tuple[str, int], backlog: int = 128) -> None:
        self._listeners[address] = socket.create_server(address, backlog=backlog)

    def _client(self, address: tuple[str, int]) -> socket.socket:
        client = socket.socket()
        if not address[0].startswith("127."):
            client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            client.bind((CLIENT, 0))
        return client

    def _pair(self, address: tuple[str, int]) -> tuple[socket.socket, socket.socket]:
        client = self._client(address)
        try:
            client.connect(address)
        except OSError:
            client.close()
            raise
        return client, self._listeners[address].accept()[0]

    def establish(self, address: tuple[str, int], count: int) -> None:
        for _ in range(count):
            self._held += self._pair(address)

    def leave_time_wait(self, address: tuple[str, int], count: int) -> None:
        for _ in range(count):
            client, server = self._pair(address)
            client.close()
            server.close()

    def leave_close_wait(self, address: tuple[str, int], count: int) -> None:
        for _ in range(count):
            client, server = self._pair(address)
            server.close()
            self._held.append(client)

    def leave_fin_wait2(self, address: tuple[str, int], count: int) -> None:
        for _ in range(count):
            client, server = self._pair(address)
            client.close()
            self._held.append(server)

    def leave_syn_sent(self, address: tuple[str, int], count: int) -> None:
        """To a listener whose queue is full, so that it answers none."""
        for _ in range(count):
            client = self._client(address)
            client.setblocking(False)
            client.connect_ex(address)
            self._held.append(client)

    def bind_idle(self, count: int) -> None:
        """Ports that are lost to every destination."""
        for _ in range(count):
            holder = socket.socket()
            holder.bind((CLIENT, 0))
            self._held.append(holder)

    def exhaust(self, address: tuple[str, int]) -> None:
        """TIME-WAIT sockets until no port is left."""
        while True:
            try:
                self.leave_time_wait(address, 1)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
                return


def stage_trouble(is_for_pictures: bool) -> Situation:
    """One destination without a port, others on their way there. For pictures TIME-WAIT sockets get old, too."""
    situation = Situation()
    for address in (WEB, DATABASE, API, CACHE, *SMALL):
        situation.listen(address)
    situation.listen(BUSY, backlog=1)
    situation.listen(("192.0.2.24", 33060))  # a service inside the range
    situation.bind_idle(180)
    situation.establish(WEB, 220)
    situation.leave_close_wait(WEB, 30)
    situation.establish(DATABASE, 300)
    situation.leave_close_wait(DATABASE, 157)
    situation.leave_time_wait(CACHE, 420)
    for step in PICTURE_STEPS:
        situation.leave_time_wait(API, 700)
        time.sleep(step if is_for_pictures else 0)
    situation.leave_fin_wait2(API, 60)
    situation.leave_syn_sent(BUSY, 24)
    for i, address in enumerate(SMALL):
        situation.establish(address, 3 + i)
    situation.exhaust(WEB)
    return situation


def fail(directory: Path, name: str, times: int) -> None:
    """A process of that name whose connects to the web server fail."""
    program = program_named(directory, name)
    subprocess.run([str(program), "-c", _FAIL, WEB[0], str(WEB[1]), str(times), CLIENT], check=True, timeout=60)
