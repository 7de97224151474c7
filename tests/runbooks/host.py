"""A host for a page: namespaces of its own, with addresses of the documentation, files that commands may change,
processes that hold sockets, the exporter, and a Prometheus."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import connections
from support.case import SKIPPED, skip_or_fail
from support.daemon import PROGRAM, Daemon

_INSIDE = "TIMEWAIT_RUNBOOK_NAMESPACE"
# Everything in it ends with the test. Where "/" is no mount, as in a chroot, mounts cannot be made private.
_UNSHARE = ["unshare", "--net", "--mount", "--propagation", "unchanged", "--pid", "--fork", "--kill-child",
            "--mount-proc"]
_PRIVATELY = ["sh", "-c", 'mount --make-rprivate / 2>/dev/null; exec "$@"', "sh"]
_MOUNT = 'mount -t tmpfs tmpfs "$0" && echo mounted && read -r _'
_ADDRESSES = ("192.0.2.10", "192.0.2.20", "192.0.2.21", "198.51.100.7")
HOST, SERVICE, DATABASE, CLIENT = _ADDRESSES
# These are not of a namespace.
_MACHINE_WIDE = "/proc/sys/kernel"
LISTEN = "127.0.0.1:10060"


def enter_namespace() -> None:
    """Starts the calling program again in namespaces of its own; returns in there."""
    if os.environ.get(_INSIDE):
        return
    unshare = _UNSHARE if os.geteuid() == 0 else [_UNSHARE[0], "--user", "--map-root-user", *_UNSHARE[1:]]
    command = [*unshare, *_PRIVATELY]
    _require_own_mounts(command)
    os.environ[_INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, "-B", *sys.argv])


def _require_own_mounts(command: list[str]) -> None:
    """What is mounted in there must not be seen out here, where it would stay."""
    with tempfile.TemporaryDirectory() as directory:
        probe = subprocess.Popen([*command, "sh", "-c", _MOUNT, directory], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        is_mounted = probe.stdout.readline() == "mounted\n"
        is_seen = os.path.ismount(directory)
        said = probe.communicate("\n", timeout=10)[1]
        if is_seen:
            _run("umount", directory)
            _leave("mounts of a namespace of its own are seen outside")
    if not is_mounted:
        _leave(f"no namespaces: {said.strip()}")


def _leave(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=10)


class Host:
    """The namespaces' only one. `at_end` is the test's addCleanup."""

    def __init__(self, directory: Path, at_end: Callable) -> None:
        if not os.environ.get(_INSIDE):
            raise AssertionError("a page's commands are run in a namespace only")
        self.directory = directory
        self.at_end = at_end
        self.environment = {"LC_ALL": "C"}
        self.daemon: Daemon | None = None
        _run("mount", "--bind", _MACHINE_WIDE, _MACHINE_WIDE)
        _run("mount", "-o", "remount,bind,ro", _MACHINE_WIDE)
        self._make_etc_its_own()
        self.tools = directory / "bin"
        self.tools.mkdir()
        self.environment["PATH"] = f"{self.tools}:{os.environ['PATH']}:/usr/sbin:/sbin"
        self.add_tool("timewait_exporter", f'exec {PROGRAM} "$@"')
        _run("ip", "link", "set", "lo", "up")
        for address in _ADDRESSES:
            _run("ip", "address", "add", f"{address}/32", "dev", "lo")
        for address in (SERVICE, DATABASE):
            _run("ip", "route", "replace", "local", address, "dev", "lo", "table", "local", "src", HOST)

    def _make_etc_its_own(self) -> None:
        """/etc as it is, but read-only; what a page adds to it, and sysctl's files, which begin empty, are in
        memory. None of it lies in the test's directory, which is removed with all that is in it."""
        _run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
        real, own = Path("/mnt/real-etc"), Path("/mnt/etc")
        for directory in (real, own, own / "sysctl.d"):
            directory.mkdir()
        _run("mount", "--bind", "/etc", str(real))
        _run("mount", "-o", "remount,bind,ro", str(real))
        for entry in real.iterdir():
            if not entry.name.startswith(("sysctl", "timewait")):
                (own / entry.name).symlink_to(entry)
        _run("mount", "--bind", str(own), "/etc")

    def mount_tracefs(self) -> None:
        """For situations in which failing connects are counted; skips them where it cannot be done."""
        done = subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], text=True,
                              capture_output=True, check=False, timeout=10)
        if done.returncode != 0:
            skip_or_fail(f"tracefs cannot be mounted: {done.stderr.strip()}")

    def add_tool(self, name: str, script: str) -> None:
        tool = self.tools / name
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    def put(self, path: str, text: str) -> None:
        """A new file in /etc."""
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text)

    def replace_sysctl(self, path: str, value: str) -> None:
        """Has one that is not of a namespace be a file of the test's."""
        file = self.directory / Path(path).name
        file.write_text(value)
        _run("mount", "--bind", str(file), path)

    def sysctl(self, **values: object) -> None:
        """Sets sysctls of net.ipv4."""
        for name, value in values.items():
            Path("/proc/sys/net/ipv4", name).write_text(str(value))

    def replace_sysctls(self, tree: Path) -> None:
        """Has net.ipv4 be these files, which may be written, for the sysctl command as well."""
        _run("mount", "--bind", str(tree), "/proc/sys/net/ipv4")

    def replace_netstat(self, file: Path) -> None:
        """Has nstat read this file."""
        self.environment["PROC_NET_NETSTAT"] = str(file)

    def start_process(self, name: str, address: tuple[str, int], begin: Callable[[socket.socket], object],
                      go_on: Callable[[socket.socket], object] | None = None, pause: float = 0.02) -> None:
        """A process of that name that listens at the address. It has done `begin` when this returns, and keeps
        what that gave. It does `go_on` again and again, with pauses. Both are given the listener."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _be_process(name, writing, lambda: connections.listen(*address), begin, go_on, pause)
        self.at_end(_end_process, child)
        os.close(writing)
        with os.fdopen(reading) as ready:
            if not ready.read():
                raise AssertionError(f"the process {name} could not be staged")

    def start_exporter(self, *flags: str, collectors: str = "", **options) -> None:
        """The exporter on the port that it has by default."""
        config = self.directory / "config.yaml"
        config.write_text(f"interval: 200ms\n{collectors}")
        self.daemon = Daemon.on_loopback(f"--web.listen-address={LISTEN}", f"--config.file={config}", *flags,
                                         **options)
        self.at_end(self.daemon.stop)
        self.daemon.wait_until_ready()


def _end_process(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _be_process(name: str, writing: int, listen: Callable[[], socket.socket],
                begin: Callable[[socket.socket], object], go_on: Callable[[socket.socket], object] | None,
                pause: float) -> NoReturn:
    try:
        Path("/proc/self/comm").write_text(name)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        listener = listen()
        held = [begin(listener)]
        os.write(writing, b"ready")
        os.close(writing)
        while go_on:
            held.append(go_on(listener))
            time.sleep(pause)
        signal.pause()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)
