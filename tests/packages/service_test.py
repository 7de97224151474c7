"""The service of the Debian package under a real systemd, booted in a root of its own."""

import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from support.container import TRACEFS, Container, wait_until
from support.root import copy_into, package, run

UNIT = "timewait_exporter.service"
SOCKET = "timewait_exporter.socket"
CONFIGURED = 'ARGS="--config.file=/etc/timewait_exporter/config.yml{}"\n'
EXAMPLES = "usr/share/doc/timewait-exporter/examples"
STOP_THREADS = Path(__file__).parent / "support/stop_threads.py"

CAP_DAC_READ_SEARCH = 1 << 2
CAP_PERFMON = 1 << 38
EPOLL_WAITS = {"x86_64": ("232", "281"), "aarch64": ("22",)}


def perf_events_are_allowed(container: Container) -> bool:
    """Whether this kernel lets CAP_PERFMON open them and has tracefs."""
    paranoid = int(Path("/proc/sys/kernel/perf_event_paranoid").read_text())
    return paranoid <= 2 and "sock" in container.run("ls", f"{TRACEFS}/events", check=False).split()


class ServiceTest(unittest.TestCase):
    """One booted container for a class, with the package installed while systemd runs."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.container = Container(cls.addClassCleanup)
        cls.container.run("dpkg", "--install", copy_into(cls.container.root, package(".deb")))

    def setUp(self) -> None:
        self.addCleanup(self.forget_changes)

    def forget_changes(self) -> None:
        """For the next test: the service as the package starts it."""
        shutil.rmtree(self.path(f"etc/systemd/system/{UNIT}.d"), ignore_errors=True)
        self.path("etc/default/timewait_exporter").write_text(CONFIGURED.format(""))
        self.path("etc/timewait_exporter/config.yml").write_text("")
        self.container.run("systemctl", "daemon-reload")
        self.container.run("systemctl", "stop", SOCKET)
        self.container.run("systemctl", "reset-failed")
        self.container.run("systemctl", "restart", UNIT)

    def path(self, name: str) -> Path:
        return self.container.root / name

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        try:
            return self.container.run("systemctl", *arguments, check=check)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journal()}") from None

    def show(self, name: str) -> str:
        return self.systemctl("show", f"--property={name}", "--value", UNIT)

    def journal(self) -> str:
        return self.container.run("journalctl", f"--unit={UNIT}", "--no-pager", "--lines=40", check=False)

    def pid(self) -> int:
        return int(self.show("MainPID"))

    def assert_active(self) -> None:
        self.assertEqual(self.show("ActiveState"), "active", self.journal())

    def override(self, name: str, text: str) -> None:
        """Puts a drop-in into force."""
        directory = self.path(f"etc/systemd/system/{UNIT}.d")
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
        self.systemctl("daemon-reload")
        self.systemctl("restart", UNIT)

    def flags(self, flags: str) -> None:
        self.path("etc/default/timewait_exporter").write_text(CONFIGURED.format(f" {flags}"))

    def succeeded(self) -> dict[str, bool]:
        """Which collectors succeeded at the last poll."""
        pattern = r'^timewait_exporter_collector_success\{collector="(\w+)"\} ([01])$'
        return {name: value == "1" for name, value in
                re.findall(pattern, self.container.get("/metrics"), re.MULTILINE)}

    def status(self, field: str) -> str:
        """A line of /proc/PID/status."""
        text = Path(f"/proc/{self.container.host_pid(self.pid())}/status").read_text()
        return re.search(rf"^{field}:\s*(.*)$", text, re.MULTILINE)[1]


class StartAndStop(ServiceTest):
    def test_installing_starts_and_enables_it(self):
        self.assert_active()
        self.assertEqual(self.systemctl("is-enabled", UNIT), "enabled")
        self.assertEqual(self.show("NRestarts"), "0", self.journal())

    def test_it_is_ready_once_it_is_started(self):
        self.systemctl("stop", UNIT)
        self.systemctl("start", UNIT)
        self.assertEqual(self.show("Type"), "notify")
        self.container.get("/-/ready")
        self.assertNotEqual(self.show("StatusText"), "")

    def test_it_stops_at_once_and_well(self):
        self.systemctl("stop", UNIT)
        self.assertEqual(self.show("ActiveState"), "inactive", self.journal())
        self.assertEqual(self.show("Result"), "success", self.journal())

    def test_reloading_keeps_the_process_and_takes_the_configuration(self):
        before = self.pid()
        self.path("etc/timewait_exporter/config.yml").write_text("collectors:\n  sockstat:\n    enabled: false\n")
        self.assertIn("sockstat", self.succeeded())
        self.systemctl("reload", UNIT)
        wait_until(lambda: "sockstat" not in self.succeeded(), "the collector is gone")
        self.assert_active()
        self.assertEqual(self.pid(), before, self.journal())

    def test_reloading_a_wrong_configuration_keeps_the_old_one(self):
        before = self.pid()
        self.path("etc/timewait_exporter/config.yml").write_text("nonsense: true\n")
        self.systemctl("reload", UNIT, check=False)
        failed = "timewait_exporter_config_last_reload_successful 0"
        wait_until(lambda: failed in self.container.get("/metrics"), "the metric tells of it")
        self.assert_active()
        self.assertEqual(self.pid(), before, self.journal())
        self.assertIn("sockstat", self.succeeded())

    def test_it_is_not_started_again_with_a_wrong_flag(self):
        self.flags("--no-such-flag")
        self.systemctl("restart", UNIT, check=False)
        wait_until(lambda: self.show("ActiveState") == "failed", "it has failed")
        self.assertEqual(self.show("ExecMainStatus"), "2", self.journal())

    def test_it_is_started_again_after_it_was_killed(self):
        self.override("soon.conf", "[Service]\nRestartSec=100ms\n")
        before = self.pid()
        self.systemctl("kill", "--signal=KILL", UNIT)
        wait_until(lambda: self.show("ActiveState") == "active" and self.pid() not in (0, before),
                   "it is back")
        self.container.get("/-/ready")

    def test_it_serves_without_its_environment_file(self):
        self.path("etc/default/timewait_exporter").unlink()
        self.systemctl("restart", UNIT)
        self.container.get("/-/ready")


class Watchdog(ServiceTest):
    """A poller that hangs: its thread is held by the kernel's debugger, the others run."""

    def polling_threads(self) -> list[str]:
        """All but the main one, which waits for signals, and those that wait for the network."""
        process = self.container.host_pid(self.pid())
        found = []
        for task in Path(f"/proc/{process}/task").iterdir():
            call = (task / "syscall").read_text().split()[0]
            if int(task.name) != process and call not in EPOLL_WAITS[os.uname().machine]:
                found.append(task.name)
        self.assertNotEqual(found, [])
        return found

    def test_a_poller_that_hangs_is_ended_and_started_again(self):
        self.override("soon.conf", "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
        before = self.pid()
        held = subprocess.Popen([sys.executable, "-B", STOP_THREADS, *self.polling_threads()],
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(held.stdout.close)
        self.addCleanup(held.wait)
        self.addCleanup(held.kill)
        self.assertEqual(held.stdout.readline(), "stopped\n")
        # It goes on to serve: only its poller is stuck.
        self.container.get("/-/healthy")
        wait_until(lambda: self.pid() not in (0, before), "it was started again")
        wait_until(lambda: self.show("ActiveState") == "active", "it is ready again")
        self.assertEqual(self.show("NRestarts"), "1", self.journal())
        self.assertIn("Watchdog timeout", self.journal())
        self.container.get("/-/ready")

    def test_a_poller_that_polls_is_left_alone(self):
        self.override("soon.conf", "[Service]\nWatchdogSec=1s\nRestartSec=100ms\n")
        before = self.pid()
        deadline = time.monotonic() + 3
        wait_until(lambda: time.monotonic() > deadline, "3 s have passed")
        self.assertEqual(self.pid(), before, self.journal())


class Privileges(ServiceTest):
    def assert_capabilities(self, expected: int) -> None:
        for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(self.status(field), 16), expected, field)

    def use(self, example: str) -> None:
        self.override(example, self.path(f"{EXAMPLES}/{example}").read_text())

    def test_it_has_two_capabilities_and_is_nobody_special(self):
        self.assert_capabilities(CAP_DAC_READ_SEARCH | CAP_PERFMON)
        self.assertEqual(self.status("NoNewPrivs"), "1")
        self.assertEqual(self.status("Seccomp"), "2")
        self.assertNotEqual(self.status("Uid").split()[0], "0")

    def test_every_collector_succeeds(self):
        succeeded = self.succeeded()
        # What this kernel does not have or allow, the service cannot read.
        if not Path("/proc/slabinfo").exists():
            succeeded.pop("slabinfo")
        if not perf_events_are_allowed(self.container):
            succeeded.pop("connect_failures")
        self.assertGreater(len(succeeded), 4)
        self.assertEqual([name for name, success in succeeded.items() if not success], [], self.journal())

    def test_without_cap_dac_read_search_slabinfo_is_lost(self):
        self.use("no-cap-dac-read-search.conf")
        self.assert_active()
        self.assert_capabilities(CAP_PERFMON)
        failed = {name for name, success in self.succeeded().items() if not success}
        self.assertEqual(failed, {"slabinfo", "connect_failures"}, self.journal())

    def test_without_cap_perfmon_connect_failures_are_lost(self):
        self.use("no-cap-perfmon.conf")
        self.assert_active()
        self.assert_capabilities(CAP_DAC_READ_SEARCH)
        failed = {name for name, success in self.succeeded().items() if not success}
        self.assertEqual(failed - {"slabinfo"}, {"connect_failures"}, self.journal())
        if Path("/proc/slabinfo").exists():
            self.assertNotIn("slabinfo", failed)

    def test_without_any_capability_the_rest_goes_on(self):
        self.use("no-cap-dac-read-search.conf")
        self.use("no-cap-perfmon.conf")
        self.assert_active()
        self.assert_capabilities(0)
        failed = {name for name, success in self.succeeded().items() if not success}
        self.assertEqual(failed, {"slabinfo", "connect_failures"}, self.journal())

    def test_it_does_not_see_what_holds_secrets(self):
        view = Path(f"/proc/{self.container.host_pid(self.pid())}/root")
        self.assertIn("root:", self.path("etc/shadow").read_text())
        self.assertEqual((view / "etc/shadow").read_text(), "")
        for name in ("root", "home", "var/lib", "var/log"):
            self.assertEqual(list((view / name).iterdir()), [], name)

    def test_it_can_write_nowhere_but_in_its_own_tmp(self):
        mounts = Path(f"/proc/{self.container.host_pid(self.pid())}/mounts").read_text().splitlines()
        writable = {path for _, path, _, options, *_ in map(str.split, mounts) if "rw" in options.split(",")}
        # /dev is its own as well, and /proc is written by nobody without a right to it; its settings are read-only.
        # /run/host is the container's.
        own = re.compile("/(tmp|var/tmp|dev/.+|proc|run/host/.+)")
        self.assertEqual({path for path in writable if not own.fullmatch(path)}, set())

    def test_it_serves_tls_with_a_key_that_only_root_may_read(self):
        directory = self.path("etc/timewait_exporter")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "1", "-subj", "/CN=localhost",
            "-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt"))
        example = self.path(f"{EXAMPLES}/tls-credential.conf").read_text()
        web = re.search(r"^#   (tls_server_config:\n(?:#     .*\n)+)", example, re.MULTILINE)[1]
        (directory / "web.yml").write_text(re.sub("^#   ", "", web, flags=re.MULTILINE))
        for name in ("tls.key", "tls.crt", "web.yml"):
            self.addCleanup((directory / name).unlink)
        (directory / "tls.key").chmod(0o600)
        self.flags("--web.config.file=/etc/timewait_exporter/web.yml")
        self.use("tls-credential.conf")
        # The right to read every file plays no part.
        self.use("no-cap-dac-read-search.conf")
        self.assert_active()
        self.container.get("/-/ready", scheme="https")


class SocketActivation(ServiceTest):
    def test_the_first_connection_starts_it_and_its_end_loses_none(self):
        self.systemctl("stop", UNIT)
        self.flags("--web.systemd-socket")
        self.systemctl("start", SOCKET)
        self.assertEqual(self.show("ActiveState"), "inactive")
        self.container.get("/-/ready")
        self.assert_active()
        before = self.pid()
        # The socket waits meanwhile.
        self.systemctl("stop", UNIT)
        self.container.get("/-/ready")
        self.assertNotIn(self.pid(), (0, before))

    def test_without_the_socket_the_flag_is_an_error_that_says_so(self):
        self.flags("--web.systemd-socket")
        self.systemctl("restart", UNIT, check=False)
        self.assertNotEqual(self.show("ActiveState"), "active")
        self.assertIn("systemd passed no socket", self.journal())


class Package(ServiceTest):
    """What dpkg does to a running service."""

    def forget_changes(self) -> None:
        """The next test installs the package again."""

    def setUp(self) -> None:
        super().setUp()
        self.container.run("dpkg", "--purge", "timewait-exporter")
        self.container.run("dpkg", "--install", "/root/" + package(".deb").name)
        self.assert_active()

    def test_an_upgrade_restarts_it(self):
        before = self.pid()
        upgrade = copy_into(self.container.root, package(".deb", upgrade=True))
        self.container.run("dpkg", "--install", upgrade)
        self.assert_active()
        self.assertNotIn(self.pid(), (0, before))
        self.container.get("/-/ready")

    def test_an_upgrade_does_not_start_what_was_disabled(self):
        self.systemctl("disable", "--now", UNIT)
        upgrade = copy_into(self.container.root, package(".deb", upgrade=True))
        self.container.run("dpkg", "--install", upgrade)
        self.assertEqual(self.show("ActiveState"), "inactive")

    def test_removing_stops_it(self):
        process = self.container.host_pid(self.pid())
        self.container.run("dpkg", "--remove", "timewait-exporter")
        self.assertFalse(Path(f"/proc/{process}").exists())
        self.assertEqual(self.show("LoadState"), "not-found")

    def test_purging_stops_it_and_forgets_its_unit(self):
        process = self.container.host_pid(self.pid())
        self.container.run("dpkg", "--purge", "timewait-exporter")
        self.assertFalse(Path(f"/proc/{process}").exists())
        self.assertFalse(self.path("etc/timewait_exporter").exists())
        self.assertNotIn("timewait", self.systemctl("list-unit-files", "--no-legend", "--all", check=False))
