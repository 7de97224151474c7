"""A real Prometheus scrapes the daemon."""

from support.case import (EndToEndTest, new_directory, require_tool, run_tests, start_daemon,
                          wait_until)
from support.exposition import parse_exposition, series
from support.prometheus import Prometheus
from support.sockets import ESTABLISHED, TIME_WAIT, sockets_of_port

OPENMETRICS = "application/openmetrics-text"

# Prometheus' own series of a scrape.
OF_THE_SCRAPE = ("up", "scrape_")


class Scraped(EndToEndTest):
    """One Prometheus with three targets: `frozen` never changes, `live` polls twice a second, and
    `untouched` is scraped by nobody else."""

    @classmethod
    def setUpClass(cls) -> None:
        program = require_tool("prometheus")
        cls.frozen = start_daemon(cls.addClassCleanup, config="interval: 1h\n")
        cls.live = start_daemon(cls.addClassCleanup, config="interval: 500ms\n")
        cls.untouched = start_daemon(cls.addClassCleanup)
        jobs = {job: getattr(cls, job).address for job in ("frozen", "live", "untouched")}
        cls.prometheus = Prometheus(program, new_directory(cls.addClassCleanup), jobs)
        cls.addClassCleanup(cls.prometheus.stop)
        wait_until(lambda: all(cls.last_scrape(job) for job in jobs), "every target was scraped")

    @classmethod
    def last_scrape(cls, job: str) -> str:
        """The time of the target's last scrape; empty before the first one."""
        target = cls.prometheus.targets().get(job, {"health": "unknown"})
        return "" if target["health"] == "unknown" else target["lastScrape"]

    def wait_for_scrapes(self, job: str, count: int) -> None:
        for _ in range(count):
            last = self.last_scrape(job)
            wait_until(lambda last=last: self.last_scrape(job) != last, f"{job} is scraped again")

    def test_every_target_is_up_and_has_no_error(self):
        for job in ("frozen", "live", "untouched"):
            target = self.prometheus.targets()[job]
            self.assertEqual((target["health"], target["lastError"]), ("up", ""), job)
            self.assertEqual(self.prometheus.query(f'up{{job="{job}"}}'), {series("up"): 1}, job)

    def test_every_series_has_the_value_that_metrics_shows(self):
        self.wait_for_scrapes("frozen", 1)
        scraped = self.prometheus.query('{job="frozen"}')
        found = {key: value for key, value in scraped.items()
                 if not key[0].startswith(OF_THE_SCRAPE)}
        self.assertEqual(found, self.frozen.scrape().samples)

    def test_every_sample_is_taken(self):
        expected = len(self.frozen.scrape().samples)
        for name in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling"):
            self.assertEqual(self.prometheus.query(f'{name}{{job="frozen"}}'),
                             {series(name): expected})

    def test_every_family_has_its_type_and_its_help(self):
        exposition = parse_exposition(self.frozen.get(Accept=OPENMETRICS).text)
        metadata = self.prometheus.get("targets/metadata", match_target='{job="frozen"}')
        self.assertEqual({each["metric"]: each["type"] for each in metadata}, exposition.types)
        self.assertEqual({each["metric"]: each["help"] for each in metadata}, exposition.helps)
        self.assertIn("counter", exposition.types.values())
        self.assertIn("gauge", exposition.types.values())

    def test_counters_grow_from_scrape_to_scrape(self):
        for name in ("timewait_exporter_polls_total", "timewait_netstat_active_opens_total"):
            with self.subTest(name):
                wait_until(
                    lambda name=name: sum(self.prometheus.query(
                        f'increase({name}{{job="live"}}[1m])').values()) > 0,
                    f"{name} has grown")

    def test_scrapes_share_one_connection_and_leave_no_time_wait(self):
        port = self.untouched.port
        left_by_the_start = sockets_of_port(port, TIME_WAIT)
        connections = sockets_of_port(port, ESTABLISHED)
        self.assertEqual(len(connections), 2, "the two ends of one connection")
        self.wait_for_scrapes("untouched", 3)
        self.assertEqual(sockets_of_port(port, ESTABLISHED), connections)
        self.assertEqual(sockets_of_port(port, TIME_WAIT) - left_by_the_start, set())


if __name__ == "__main__":
    run_tests()
