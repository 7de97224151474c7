"""Connects that find no port, in a network namespace of their own, and tracefs for who counts them."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from support.case import skip_or_fail
from support.daemon import launcher

# Uses up a range of ten ports and fails so often, once for each line that it reads.
_FAIL = """\
import errno, socket, sys
listener = socket.create_server(("127.0.0.1", 8080))
held = []
def connect():
    client = socket.socket()
    held.append(client)
    try:
        client.connect(("127.0.0.1", 8080))
    except OSError as error:
        assert error.errno == errno.EADDRNOTAVAIL, error
        held.pop().close()
        return False
    held.append(listener.accept()[0])
    return True
while connect():
    pass
print("exhausted", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        assert not connect()
    print("failed", flush=True)
"""
_NAMESPACE = """\
ip link set lo up
echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range
exec "$@"
"""
# Where "/" is no mount, as in a chroot, mounts cannot be made private.
_TRACEFS = 'mount --make-rprivate / 2>/dev/null; mount -t tracefs tracefs "$0" && exec "$@"'


def with_tracefs(directory: Path, command: Sequence[str]) -> list[str]:
    """The command, in a mount namespace in which tracefs is mounted on the directory."""
    namespace = ["unshare", "--mount", "--propagation", "unchanged"]
    return [*namespace, "sh", "-c", _TRACEFS, str(directory), *command]


def require_tracefs(directory: Path) -> None:
    done = subprocess.run(with_tracefs(directory, ["true"]), capture_output=True, text=True,
                          timeout=10, check=False)
    if done.returncode != 0:
        skip_or_fail(f"tracefs cannot be mounted: {done.stderr.strip()}")


class FailingProcess:
    """A process of that name, whose connects to 127.0.0.1:8080 fail when it is told to. The first
    one has failed when it is made."""

    def __init__(self, cleanup: Callable, directory: Path, name: str) -> None:
        program = directory / name  # the kernel names a process after the file that it runs
        program.symlink_to(os.path.realpath(sys.executable))
        self._process = subprocess.Popen(
            [*launcher(), "unshare", "--net", "sh", "-ec", _NAMESPACE, "sh", program, "-c", _FAIL],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cleanup(self._end)
        self._expect("exhausted")

    def fail(self, times: int) -> None:
        print(times, file=self._process.stdin, flush=True)
        self._expect("failed")

    def _expect(self, word: str) -> None:
        if (line := self._process.stdout.readline().strip()) != word:
            raise AssertionError(f"expected {word}, found {line!r}")

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
