"""What the daemon does while a read of /proc does not come back."""

import errno
import os
import signal

from support.case import EndToEndTest, run_tests, wait_until
from support.daemon import Daemon
from support.exposition import Exposition
from support.fuse_files import FuseFiles
from support.proc_tree import ProcTree

INTERVAL = "interval: 50ms\n"
RELOADED = "configuration reloaded"
NOT_RELOADED = "configuration not reloaded, the last one stays"
ONLY_FILES = ("--collector.disable-defaults", "--collector.netstat", "--collector.sockstat")


def polls(exposition: Exposition) -> float:
    return exposition.value("timewait_exporter_polls_total") or 0


class HungFile(EndToEndTest):
    """/proc/net is a file system that answers when it is told to."""

    def setUp(self) -> None:
        tree = ProcTree(self.directory())
        self.files = FuseFiles(self.addCleanup, tree.root / "net")
        self.daemon = self.start(*ONLY_FILES, f"--path.procfs={tree.root}", config=INTERVAL)
        # The kernel lets nobody end who waits for an answer that is on its way.
        self.addCleanup(self.files.go_on)

    def hang(self) -> None:
        self.files.hang()
        self.assertTrue(self.files.asked.wait(10), "the daemon reads a file")

    def wait_until_ready_is(self, status: int) -> None:
        wait_until(lambda: self.daemon.get("/-/ready").status == status, f"/-/ready says {status}")

    def test_a_scrape_gets_the_last_figures_and_ready_says_that_they_are_old(self):
        self.hang()
        self.wait_until_ready_is(503)
        self.assertIn("older than three intervals", self.daemon.get("/-/ready").text)
        self.assert_status(self.daemon.get("/-/healthy"), 200)
        first, second = self.daemon.scrape(), self.daemon.scrape()
        self.assertEqual(polls(first), polls(second))
        self.assertIn("timewait_sockstat_tcp_time_wait", second.names())
        stamp = "timewait_exporter_snapshot_timestamp_seconds"
        self.assertEqual(first.value(stamp), second.value(stamp))

    def test_afterwards_it_goes_on_and_counts_the_polls_that_it_missed(self):
        overruns = "timewait_exporter_poll_overruns_total"
        before = self.daemon.scrape()
        self.hang()
        self.wait_until_ready_is(503)
        self.files.go_on()
        self.wait_until_ready_is(200)
        after = self.daemon.scrape()
        self.assertGreater(polls(after), polls(before))
        self.assertGreater(after.value(overruns), before.value(overruns))
        self.assertEqual(set(after.all_of("timewait_exporter_collector_success").values()), {1.0})
        self.assertEqual(self.daemon.log(level="warn"), [])

    def test_a_hung_poll_does_not_keep_it_from_ending(self):
        self.hang()
        self.daemon.terminate()
        self.daemon.wait_for_log(msg="a poll has not come back from the kernel; leaving it")
        self.files.go_on()
        self.assertEqual(self.daemon.wait(), 0)

    def test_an_error_of_the_device_is_told_and_forgotten(self):
        self.files.error = errno.EIO
        failures = self.daemon.wait_for_log(3, msg="collector failed", reason="io")
        self.assertEqual({each["collector"] for each in failures}, {"netstat", "sockstat"})
        self.assertTrue(all("Input/output error" in each["err"] for each in failures))
        self.files.error = 0
        self.daemon.wait_for_log(2, msg="collector recovered")

    def test_a_file_that_breaks_off_in_a_number_gives_no_number(self):
        whole = self.files.texts["sockstat"]
        end = whole.index(b"\nUDP:")
        self.files.texts["sockstat"] = whole[:end]
        self.daemon.wait_for_log(msg="collector failed", reason="malformed", collector="sockstat")
        wait_until(
            lambda: "timewait_sockstat_tcp_memory_bytes" not in self.daemon.scrape().names(),
            "the figure is gone")
        self.files.texts["sockstat"] = whole
        self.daemon.wait_for_log(msg="collector recovered", collector="sockstat")


class HungConfiguration(EndToEndTest):
    """The configuration's directory is a file system that answers when it is told to."""

    def setUp(self) -> None:
        directory = self.directory()
        self.file = directory / "config.yaml"
        self.file.write_text("interval: 1h\n")
        self.web = directory / "web.yml"
        self.web.write_text("rate_limit: {interval: 1ms, burst: 100}\n")
        self.files = FuseFiles(self.addCleanup, directory)

    def begin(self, *flags: str) -> None:
        self.daemon = Daemon.on_loopback(*flags)
        self.addCleanup(self.daemon.stop)
        self.addCleanup(self.files.go_on)
        self.daemon.wait_until_ready()

    def hang(self) -> None:
        self.files.hang()
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.assertTrue(self.files.asked.wait(10), "the daemon reads a file")

    def test_a_reload_gives_up_and_the_next_one_works(self):
        self.begin(f"--config.file={self.file}")
        self.hang()
        (record,) = self.daemon.wait_for_log(msg=NOT_RELOADED)
        self.assertIn("cannot be read to its end", record["err"])
        self.assert_status(self.daemon.get(), 200)
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.daemon.wait_for_log(2, msg=NOT_RELOADED)
        self.files.go_on()
        wait_until(self.reload_works, "a reload works again")

    def reload_works(self) -> bool:
        known = len(self.daemon.log(msg=NOT_RELOADED)), len(self.daemon.log(msg=RELOADED))
        os.kill(self.daemon.pid, signal.SIGHUP)
        counts = wait_until(lambda: self.counts_beyond(known), "the reload is answered")
        return counts[1] > known[1]

    def counts_beyond(self, known: tuple[int, int]) -> tuple[int, int] | None:
        counts = len(self.daemon.log(msg=NOT_RELOADED)), len(self.daemon.log(msg=RELOADED))
        return counts if counts != known else None

    def test_a_reload_that_hangs_does_not_keep_it_from_ending(self):
        self.begin(f"--config.file={self.file}")
        self.hang()
        self.daemon.terminate()
        self.daemon.wait_for_log(msg="the configuration has not been read to its end; leaving it")
        self.files.go_on()
        self.assertEqual(self.daemon.wait(), 0)

    def test_nor_does_a_web_configuration(self):
        self.begin(f"--web.config.file={self.web}")
        self.hang()
        self.daemon.wait_for_log(msg=NOT_RELOADED)
        self.daemon.terminate()
        self.daemon.wait_for_log(msg="the web configuration has not been read to its end; leaving it")
        self.files.go_on()
        self.assertEqual(self.daemon.wait(), 0)


if __name__ == "__main__":
    run_tests()
