"""A root in which systemd is booted, with a network namespace of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from support.root import ENVIRONMENT, WORK, new_root, run

PATIENCE_SECONDS = 30.0
TRACEFS = "/sys/kernel/tracing"

Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], what: str, patience: float = PATIENCE_SECONDS) -> Found:
    """The condition's value as soon as it holds; fails where it does not in time."""
    deadline = time.monotonic() + patience
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:g} s in vain until {what}")
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Container:
    """Booted when it is made, and as a host would be: with tracefs, and with perf events allowed."""

    def __init__(self, cleanup: Callable) -> None:
        self.root = new_root(cleanup)
        self._console = WORK / f"{self.root.parent.name}.console"
        command = [
            # It ends with the tests, however they end.
            "setpriv", "--pdeathsig=KILL", "systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}",
            f"--machine=timewait-{os.getpid()}-{self.root.parent.name}",
            "--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--console=pipe",
            "--capability=CAP_PERFMON", "--system-call-filter=perf_event_open",
        ]
        with self._console.open("w") as console:
            self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        cleanup(self._power_off)
        self.init = wait_until(self._find_init, "systemd-nspawn starts systemd")
        wait_until(self._has_booted, "systemd has booted")
        # systemd does so on a host, and not in a container.
        self.run("mount", "-t", "tracefs", "tracefs", TRACEFS, check=False)

    def _find_init(self) -> int | None:
        if self._nspawn.poll() is not None:
            raise AssertionError(f"systemd-nspawn: {self._console.read_text()}")
        for child in children(self._nspawn.pid):
            with suppress(OSError):  # It may be one of those that end once they have prepared the root.
                if os.readlink(f"/proc/{child}/exe").endswith("/systemd"):
                    return child
        return None

    def _has_booted(self) -> bool:
        return self.run("systemctl", "is-system-running", check=False) in ("running", "degraded")

    def _power_off(self) -> None:
        # One that has hardly begun to boot would outlive systemd-nspawn.
        inside = [] if self._nspawn.poll() is not None else list(map(os.pidfd_open, children(self._nspawn.pid)))
        self._nspawn.terminate()
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        for pidfd in inside:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)

    def run(self, *command: str, check: bool = True) -> str:
        """What the command prints that runs inside."""
        enter = ["nsenter", f"--target={self.init}", "--all", "--root", "--wd"]
        return run(*enter, *command, check=check, env=ENVIRONMENT)

    def get(self, path: str, scheme: str = "http") -> str:
        """The host's client asks, inside its network namespace; it takes any certificate."""
        return run("nsenter", f"--target={self.init}", "--net", "curl", "--silent", "--show-error", "--fail",
                   "--insecure", "--max-time", "10", f"{scheme}://127.0.0.1:10060{path}")

    def host_pid(self, pid: int) -> int:
        """What the host calls the process that is `pid` inside."""
        namespace = os.readlink(f"/proc/{self.init}/ns/pid")
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(directory / "ns/pid") != namespace:
                    continue
                status = (directory / "status").read_text()
            except OSError:
                continue  # It has ended meanwhile.
            (inside,) = [line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:")]
            if int(inside) == pid:
                return int(directory.name)
        raise AssertionError(f"no process {pid} inside")
