"""What the daemon does where memory, disk space or file descriptors run out."""

import os
import resource
import subprocess
import unittest

from support import client
from support.case import EndToEndTest, run_tests, skip_or_fail, wait_until
from support.daemon import PROGRAM, STOP_SECONDS, Daemon, launcher
from support.exposition import Exposition, parse_exposition
from support.proc_tree import ProcTree

INTERVAL = "interval: 50ms\n"
COLLECTORS = ("netstat", "sockstat", "slabinfo", "sysctl")
ONLY_FILES = ("--collector.disable-defaults", *(f"--collector.{name}" for name in COLLECTORS))
SANITIZERS = os.environ.get("TIMEWAIT_SANITIZE", "")
MIB = 1 << 20
FULL_DISK = """\
mount --make-rprivate / 2>/dev/null
mount -t tmpfs -o size=64k tmpfs "$0" || exit 77
dd if=/dev/zero of="$0/filler" bs=4k 2>/dev/null
cd "$0" && TMPDIR="$0" exec "$@"
"""


def polls(running: Daemon) -> float:
    return running.scrape().value("timewait_exporter_polls_total") or 0


def figures(exposition: Exposition) -> dict:
    """What is published of the host, which stands still."""
    return {key: value for key, value in exposition.samples.items()
            if not key[0].startswith(("timewait_exporter_", "process_"))}


class ResourcesTest(EndToEndTest):
    def setUp(self) -> None:
        self.tree = ProcTree(self.directory())

    def flags(self) -> list[str]:
        return [*ONLY_FILES, f"--path.procfs={self.tree.root}", f"--path.sysfs={self.directory()}"]

    def wait_for_polls(self, running: Daemon, count: int) -> None:
        enough = polls(running) + count
        wait_until(lambda: polls(running) >= enough, "the daemon has polled some more")


@unittest.skipIf(SANITIZERS, "sanitizers reserve terabytes of addresses")
class Memory(ResourcesTest):
    def test_whatever_memory_it_may_have_it_serves_or_says_why_not(self):
        right = figures(self.start(*self.flags(), config=INTERVAL).scrape())
        served = set()
        for mebibytes in (8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 64, 96):
            with self.subTest(mebibytes):
                limited = Daemon.on_loopback(
                    *self.flags(),
                    command=["prlimit", f"--as={mebibytes * MIB}", PROGRAM])
                self.addCleanup(limited.kill)
                try:
                    limited.wait_for_log(msg="listening")
                    self.assertEqual(figures(limited.scrape()), right)
                    served.add(mebibytes)
                    limited.stop()
                except (AssertionError, OSError):
                    # Not the signal of a crash but a status, and a line that says what was missing.
                    self.assertIn(limited.wait(), (1, 127))
                    self.assertRegex(limited.raw_log[-1], "alloc|memory|unavailable|failed to map")
        self.assertIn(96, served)
        self.assertNotIn(8, served)

    def test_a_limit_that_is_reached_later_ends_it_with_a_message_or_not_at_all(self):
        running = self.start(*self.flags(), config=INTERVAL)
        right = figures(running.scrape())
        self.wait_for_polls(running, 1)  # all threads have started
        for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            resource.prlimit(running.pid, limit, (MIB, MIB))  # less than it has already
        # A file that is read whole before it is refused.
        text = self.tree.text("net/netstat")
        self.tree.put("net/netstat", text + b"x" * (MIB - len(text)))
        for _ in range(20):
            try:
                found = figures(running.scrape())
            except OSError:
                break
            wrong = {key: value for key, value in found.items()
                     if right.get(key) != value and "available" not in key[0]}
            self.assertEqual(wrong, {})
        if not running.has_ended():
            return running.stop()
        self.assertEqual(running.wait(), 1)
        self.assertRegex("\n".join(running.raw_log[-2:]), "bad_alloc|memory")


class FullDisk(ResourcesTest):
    def test_it_publishes_the_same_where_no_byte_can_be_written(self):
        usual = self.start(*self.flags(), config=INTERVAL)
        command = ["unshare", "--mount", "--propagation", "unchanged",
                   "sh", "-c", FULL_DISK, str(self.directory()), PROGRAM]
        probe = subprocess.run([*command[:-1], "true"], check=False)
        if probe.returncode != 0:
            skip_or_fail("no tmpfs can be mounted")
        full = self.start(*self.flags(), config=INTERVAL, command=command)
        self.assertEqual(figures(full.scrape()), figures(usual.scrape()))
        self.wait_for_polls(full, 3)
        self.assertEqual(full.log(level="warn"), usual.log(level="warn"))

    def test_a_log_that_cannot_be_written_does_not_keep_it_from_serving(self):
        socket = self.directory() / "exporter.sock"
        file = self.directory() / "config.yaml"
        file.write_text(INTERVAL)
        with open("/dev/full", "w") as full:
            process = subprocess.Popen(
                [*launcher(), PROGRAM, *self.flags(), f"--config.file={file}",
                 f"--web.listen-address=unix:{socket}"], stdout=full, stderr=full)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(socket.exists, "the daemon listens")
        def scrape() -> Exposition:
            return parse_exposition(client.request(f"unix:{socket}", "/metrics").text)

        self.assertIn("timewait_sockstat_tcp_time_wait", scrape().names())
        self.tree.remove("net/sockstat")  # something to log
        errors = {"collector": "sockstat", "reason": "unavailable"}
        wait_until(lambda: scrape().value("timewait_exporter_collector_errors_total",
                                          **errors) > 3, "polls go on")
        process.terminate()
        self.assertEqual(process.wait(STOP_SECONDS), 0)


class Descriptors(ResourcesTest):
    @unittest.skipIf("undefined" in SANITIZERS,
                     "UBSan opens a pipe to look at memory and takes the lack of one for a fault")
    def test_without_a_descriptor_polls_fail_for_that_reason_and_come_back(self):
        running = self.start(*self.flags(), config=INTERVAL)
        before = running.scrape()
        limits = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        for collector in COLLECTORS:
            failed = {"msg": "collector failed", "collector": collector, "reason": "io"}
            self.assertIn("Too many open files", running.wait_for_log(**failed)[0]["err"])
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, limits)
        for collector in COLLECTORS:
            running.wait_for_log(msg="collector recovered", collector=collector)
        self.wait_for_polls(running, 2)
        self.assertEqual(figures(running.scrape()), figures(before))


if __name__ == "__main__":
    run_tests()
