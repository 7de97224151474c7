"""Connects that find no port, and tracefs for who counts them."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from support.case import skip_or_fail
from support.namespace import NetworkNamespace
from support.traffic import Traffic

PORTS = range(40000, 40010)
HOST = "127.0.0.1"
# Where "/" is no mount, as in a chroot, mounts cannot be made private.
_TRACEFS = 'mount --make-rprivate / 2>/dev/null; mount -t tracefs tracefs "$0" && exec "$@"'


def with_tracefs(directory: Path, command: Sequence[str]) -> list[str]:
    """The command, in a mount namespace in which tracefs is mounted on the directory."""
    namespace = ["unshare", "--mount", "--propagation", "unchanged"]
    return [*namespace, "sh", "-c", _TRACEFS, str(directory), *command]


def program_named(directory: Path, name: str) -> Path:
    """A Python interpreter whose processes have this name: the kernel takes that of the file."""
    program = directory / name
    program.symlink_to(os.path.realpath(sys.executable))
    return program


def require_tracefs(directory: Path) -> None:
    done = subprocess.run(with_tracefs(directory, ["true"]), capture_output=True, text=True,
                          timeout=10, check=False)
    if done.returncode != 0:
        skip_or_fail(f"tracefs cannot be mounted: {done.stderr.strip()}")


class FailingProcess:
    """A process of that name in a namespace of its own, whose connects to 127.0.0.1:8080 fail when it is
    told to. The first one has failed when it is made."""

    def __init__(self, cleanup: Callable, directory: Path, name: str) -> None:
        namespace = NetworkNamespace(cleanup, PORTS)
        self._traffic = Traffic(cleanup, namespace, program_named(directory, name))
        self._traffic.exhaust(HOST)

    def fail(self, times: int) -> None:
        self._traffic.fail(HOST, times)
