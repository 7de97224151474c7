"""How a collector that costs more CPU time than its budget allows is polled."""

import time

from support import daemon
from support.case import EndToEndTest, run_tests, wait_until
from support.daemon import Daemon
from support.exposition import parse_exposition

INTERVAL_SECONDS = 0.01
ONLY_SOCK_DIAG = ("--collector.disable-defaults", "--collector.sock_diag")
OF_SOCK_DIAG = {"collector": "sock_diag"}


def configuration(budget: float) -> str:
    return f"interval: 10ms\ncollectors: {{ sock_diag: {{ cpu_budget_ratio: {budget:f} }} }}\n"


def polls(running: Daemon) -> float:
    return running.scrape().value("timewait_exporter_polls_total") or 0


class CpuBudget(EndToEndTest):
    def test_a_dear_collector_is_polled_less_often_and_says_so(self):
        running = self.start(*ONLY_SOCK_DIAG, config=configuration(0.0001))
        interval = running.scrape().value("timewait_exporter_collector_interval_seconds",
                                          **OF_SOCK_DIAG)
        self.assertGreater(interval, 10 * INTERVAL_SECONDS)
        [record] = running.log(level="warn")
        self.assertEqual(record["collector"], "sock_diag")
        self.assertEqual(float(record["cpu_budget_ratio"]), 0.0001)
        self.assertGreater(float(record["cpu_seconds"]), 0.0001 * INTERVAL_SECONDS)

    def test_it_stays_ready_at_the_interval_in_force(self):
        running = self.start(*ONLY_SOCK_DIAG, config=configuration(0.0001))
        start = time.monotonic()
        wait_until(lambda: time.monotonic() > start + 10 * INTERVAL_SECONDS,
                   "the snapshot is older than three configured intervals")
        self.assert_status(running.get("/-/ready"), 200)

    def test_the_budget_is_kept(self):
        budget = 0.05
        start = time.monotonic()
        running = self.start(*ONLY_SOCK_DIAG, config=configuration(budget))
        wait_until(lambda: polls(running) >= 3, "it has polled three times")
        exposition = running.scrape()
        spent = exposition.value("timewait_exporter_collector_cpu_seconds_total", **OF_SOCK_DIAG)
        pause = exposition.value("timewait_exporter_collector_interval_seconds", **OF_SOCK_DIAG)
        self.assertLess(spent, budget * (time.monotonic() - start + pause),
                        "the last poll is paid for by the pause after it")

    def test_a_single_poll_has_no_interval_to_stretch(self):
        file = self.directory() / "config.yaml"
        file.write_text(configuration(0.0001))
        done = daemon.run("--once", f"--config.file={file}", *ONLY_SOCK_DIAG)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            parse_exposition(done.stdout).value("timewait_exporter_collector_interval_seconds",
                                                **OF_SOCK_DIAG),
            INTERVAL_SECONDS)


if __name__ == "__main__":
    run_tests()
