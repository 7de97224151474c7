"""Connects that find no port: from the kernel's event to Prometheus, and what is said where events are
refused."""

import re
from pathlib import Path

from support.case import EndToEndTest, new_directory, require_tool, run_tests, wait_until
from support.daemon import PROGRAM, Daemon, copy_program, launcher
from support.failing_connects import FailingProcess, require_tracefs, with_tracefs
from support.prometheus import Prometheus

ONLY_CONNECT_FAILURES = ("--collector.disable-defaults", "--collector.connect_failures")
AVAILABLE = "timewait_connect_failures_available"
TOTAL = "timewait_connect_failures_total"
BY_DESTINATION = "timewait_connect_failures_by_destination_total"
ERRORS = "timewait_exporter_collector_errors_total"
INTERVAL = "interval: 200ms\n"
# Enough to see that something is not said again at each of them.
SEVERAL = 4


def documented_query_of_a_first_burst() -> str:
    metrics = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    [query] = re.findall(r"```\n([^`]*offset 5m[^`]*)```", metrics)
    return query


class ConnectFailures(EndToEndTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.tracefs = new_directory(cls.addClassCleanup)
        require_tracefs(cls.tracefs)

    def start_with(self, *capabilities: str) -> Daemon:
        """A daemon of an ordinary user with these capabilities and no others, after several polls."""
        program = copy_program(self.directory())
        user = launcher(as_nobody=True)
        if capabilities:
            chosen = ",".join(f"+{name}" for name in capabilities)
            user += [f"--inh-caps={chosen}", f"--ambient-caps={chosen}"]
        running = self.start(*ONLY_CONNECT_FAILURES, config=INTERVAL,
                             command=with_tracefs(self.tracefs, [*user, program]))
        wait_until(lambda: (running.scrape().value("timewait_exporter_polls_total") or 0) > SEVERAL,
                   "it has polled several times")
        return running

    def assert_refused(self, running: Daemon, reason: str, says: str) -> None:
        exposition = running.scrape()
        self.assertEqual(exposition.value(AVAILABLE), 0)
        self.assertIsNone(exposition.value(TOTAL), "0 failures would be a lie")
        self.assertGreater(exposition.value(ERRORS, collector="connect_failures", reason=reason),
                           SEVERAL)
        [record] = running.log(level="warn")
        self.assertEqual((record["collector"], record["reason"]), ("connect_failures", reason))
        self.assertIn(says, record["err"])

    def test_an_ordinary_user_is_told_once_that_tracefs_is_roots(self):
        self.assert_refused(self.start_with(), "permission", "CAP_DAC_READ_SEARCH")

    def test_one_who_may_read_tracefs_is_told_what_perf_wants(self):
        self.assert_refused(self.start_with("dac_read_search"), "permission",
                            "has neither CAP_PERFMON (since Linux 5.8) nor CAP_SYS_ADMIN")

    def test_two_capabilities_are_enough(self):
        # As systemd/timewait_exporter.service grants them.
        running = self.start_with("dac_read_search", "perfmon")
        if int(Path("/proc/sys/kernel/perf_event_paranoid").read_text()) > 2:
            # A level of Debian's, for which two are not.
            return self.assert_refused(running, "permission", "sysctl kernel.perf_event_paranoid=2")
        process = FailingProcess(self.addCleanup, self.directory(), "ordinary")
        process.fail(4)
        found = {}

        def is_counted() -> bool:
            nonlocal found
            found = {labels: value for labels, value
                     in running.scrape().all_of(BY_DESTINATION).items()
                     if ("process", "ordinary") in labels}
            return sum(found.values()) == 5

        wait_until(is_counted, "five failures of the process are counted")
        # Whose namespace it is cannot be told without CAP_SYS_PTRACE, but that it is another one can.
        self.assertEqual({dict(labels)["netns"] for labels in found}, {"other"})
        self.assertEqual(running.scrape().value(AVAILABLE), 1)

    def test_root_needs_but_one_of_them(self):
        # As packaging/kubernetes/capabilities grants it. slabinfo is root's too.
        root = ["setpriv", "--bounding-set=-all,+perfmon", "--no-new-privs", PROGRAM]
        running = self.start(*ONLY_CONNECT_FAILURES, "--collector.slabinfo", config=INTERVAL,
                             command=with_tracefs(self.tracefs, [*launcher(), *root]))
        if int(Path("/proc/sys/kernel/perf_event_paranoid").read_text()) > 2:
            return self.assert_refused(running, "permission", "sysctl kernel.perf_event_paranoid=2")
        exposition = running.scrape()
        self.assertEqual(exposition.value(AVAILABLE), 1)
        self.assertEqual(set(exposition.all_of("timewait_exporter_collector_success").values()), {1})

    def test_events_leave_the_last_descriptors_to_the_others(self):
        few = ["prlimit", "--nofile=12", PROGRAM]
        running = self.start(config=INTERVAL, command=with_tracefs(self.tracefs, [*launcher(), *few]))
        exposition = running.scrape()
        self.assertEqual(exposition.value(AVAILABLE), 0)
        self.assertGreater(exposition.value(ERRORS, collector="connect_failures", reason="io"), 0)
        success = exposition.all_of("timewait_exporter_collector_success")
        failed = {dict(labels)["collector"] for labels, value in success.items() if value == 0}
        self.assertEqual(failed, {"connect_failures"})

    def test_prometheus_sees_the_rate_within_two_scrapes(self):
        running = self.start(*ONLY_CONNECT_FAILURES, config=INTERVAL,
                             command=with_tracefs(self.tracefs, [*launcher(), PROGRAM]))
        prometheus = Prometheus(require_tool("prometheus"), self.directory(),
                                {"timewait": running.address})
        self.addCleanup(prometheus.stop)
        process = FailingProcess(self.addCleanup, self.directory(), "victim")
        chosen = f'{BY_DESTINATION}{{process="victim",remote_port="8080"}}'
        wait_until(lambda: prometheus.query(chosen), "the first failure is scraped")
        before = prometheus.targets()["timewait"]["lastScrape"]
        process.fail(20)
        scrapes = {before}

        def rises() -> bool:
            scrapes.add(prometheus.targets()["timewait"]["lastScrape"])
            return any(rate > 0 for rate in prometheus.query(f"rate({chosen}[30s])").values())

        wait_until(rises, "the rate is above 0")
        self.assertLessEqual(len(scrapes - {before}), 2)
        total = prometheus.query(TOTAL)
        self.assertGreaterEqual(next(iter(total.values())), 21)
        # Others may fail at the same time: events are of the whole host.
        bursts = prometheus.query(documented_query_of_a_first_burst())
        [burst] = [value for (_, labels), value in bursts.items() if ("process", "victim") in labels]
        self.assertGreaterEqual(burst, 21)


if __name__ == "__main__":
    run_tests()
