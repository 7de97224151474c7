"""A process in a network namespace that listens on a port of all addresses and connects to itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.daemon import launcher
from support.namespace import NetworkNamespace

PORT = 8080

_PROGRAM = f"""\
import errno, socket, struct, sys
listener = socket.create_server(("0.0.0.0", {PORT}))
held = []
def connect(host):
    client = socket.socket()
    try:
        client.connect((host, {PORT}))
    except OSError as error:
        client.close()
        assert error.errno == errno.EADDRNOTAVAIL, error
        return ()
    return client, listener.accept()[0]
for line in sys.stdin:
    what, host, count = line.split()
    for _ in range(int(count)):
        if what == "exhaust":
            while pair := connect(host):
                held.extend(pair)
        elif what == "fail":
            assert not connect(host)
        elif what == "close":
            client, server = connect(host)
            client.close()
            server.close()
        elif what == "abandon":
            client, server = connect(host)
            server.close()
            held.append(client)
        elif what == "release":
            for each in held:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.close()
            held.clear()
    print("done", flush=True)
"""


class Traffic:
    """Told what to do; each has been done when it returns."""

    def __init__(self, cleanup: Callable, namespace: NetworkNamespace,
                 program: str | Path = sys.executable) -> None:
        self._process = subprocess.Popen(
            [*launcher(), *namespace.inside([program, "-c", _PROGRAM])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cleanup(self._end)

    def exhaust(self, host: str) -> None:
        """Opens connections to the host until connect() finds no port, and keeps them."""
        self._do("exhaust", host)

    def fail(self, host: str, times: int) -> None:
        """Connects to a host whose ports are exhausted."""
        self._do("fail", host, times)

    def close_first(self, host: str, times: int) -> None:
        """Leaves connections to the host in TIME-WAIT."""
        self._do("close", host, times)

    def abandon(self, host: str, times: int) -> None:
        """Leaves connections to the host in CLOSE-WAIT, until they are released."""
        self._do("abandon", host, times)

    def release(self) -> None:
        """Resets what is kept, so that the ports are free at once."""
        self._do("release")

    def _do(self, what: str, host: str = "-", times: int = 1) -> None:
        print(what, host, times, file=self._process.stdin, flush=True)
        if (answer := self._process.stdout.readline()) != "done\n":
            raise AssertionError(f"{what} {host}: {answer!r}")

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
