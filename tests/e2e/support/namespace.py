"""A network namespace of a test's own."""

import subprocess
from collections.abc import Callable, Sequence

from support.case import skip_or_fail
from support.daemon import launcher

_SET_UP = """\
ip link set lo up
echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range
echo ready
exec cat
"""


def require_namespaces() -> None:
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, timeout=10,
                          check=False)
    if done.returncode != 0:
        skip_or_fail(f"no network namespace can be made: {done.stderr.strip()}")


class NetworkNamespace:
    """One with lo and these ephemeral ports, for as long as the test."""

    def __init__(self, cleanup: Callable, ports: range) -> None:
        self._keeper = subprocess.Popen(
            [*launcher(), "unshare", "--net", "sh", "-ec", _SET_UP, "sh", str(ports[0]), str(ports[-1])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cleanup(self._end)
        if self._keeper.stdout.readline() != "ready\n":
            raise AssertionError("a network namespace cannot be set up")

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command, in this namespace and in the same process."""
        return ["nsenter", f"--net=/proc/{self._keeper.pid}/ns/net", *command]

    def _end(self) -> None:
        self._keeper.kill()
        self._keeper.communicate()
