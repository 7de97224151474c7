"""The expositions themselves: which format a client gets, and whether others can read it."""

import gzip
import subprocess

from support import daemon
from support.case import FrozenDaemonTest, require_tool, run_tests, skip_or_fail
from support.exposition import Series, parse_exposition

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

PROMETHEUS_2_42 = ("application/openmetrics-text;version=1.0.0,"
                   "application/openmetrics-text;version=0.0.1;q=0.75,"
                   "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
PROMETHEUS_3 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                "application/openmetrics-text;version=0.0.1;q=0.5,"
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
PROMETHEUS_3_NATIVE_HISTOGRAMS = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.7," + PROMETHEUS_3)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Negotiation(FrozenDaemonTest):
    def test_prometheus_gets_openmetrics(self):
        for accept in (PROMETHEUS_2_42, PROMETHEUS_3, PROMETHEUS_3_NATIVE_HISTOGRAMS,
                       "application/openmetrics-text"):
            with self.subTest(accept):
                reply = self.daemon.get(Accept=accept)
                self.assertEqual(reply.headers["Content-Type"], OPENMETRICS)
                self.assertTrue(reply.text.endswith("\n# EOF\n"), reply.text[-100:])

    def test_everyone_else_gets_text(self):
        for accept in ("*/*", "text/plain", "text/plain;version=0.0.4", BROWSER, "image/png",
                       "application/openmetrics-text;version=2.0.0",
                       "application/openmetrics-text;q=0",
                       "application/openmetrics-text;q=0.2,text/plain;q=0.5"):
            with self.subTest(accept):
                reply = self.daemon.get(Accept=accept)
                self.assertEqual(reply.headers["Content-Type"], TEXT)
                self.assertNotIn("# EOF", reply.text)
        self.assertEqual(self.daemon.get().headers["Content-Type"], TEXT)

    def test_caches_are_told_what_the_reply_depends_on(self):
        self.assertEqual(self.daemon.get().headers["Vary"], "Accept, Accept-Encoding")


class Compression(FrozenDaemonTest):
    def test_gzip_holds_the_bytes_of_the_plain_reply(self):
        for accept in ("text/plain", PROMETHEUS_2_42):
            with self.subTest(accept):
                plain = self.daemon.get(Accept=accept)
                compressed = self.daemon.get(Accept=accept, Accept_Encoding="gzip")
                self.assertEqual(compressed.headers["Content-Encoding"], "gzip")
                self.assertEqual(compressed.headers["Content-Type"], plain.headers["Content-Type"])
                self.assertEqual(gzip.decompress(compressed.body), plain.body)
                self.assertLess(len(compressed.body), len(plain.body) / 3)

    def test_gzip_is_for_those_who_ask_for_it(self):
        for asked in ("gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "*", "br, *;q=0.1"):
            with self.subTest(asked):
                reply = self.daemon.get(Accept_Encoding=asked)
                self.assertEqual(reply.headers["Content-Encoding"], "gzip")

    def test_nobody_else_gets_gzip(self):
        for asked in ("gzip;q=0", "gzip;q=0.000", "identity", "deflate", "*;q=0", "gzip;q=0, *",
                      "gzip;q=0.5, identity", ""):
            with self.subTest(asked):
                reply = self.daemon.get(Accept_Encoding=asked)
                self.assertNotIn("Content-Encoding", reply.headers)
                self.assertTrue(reply.body.startswith(b"# HELP "), reply.body[:40])


class Text(FrozenDaemonTest):
    def lint(self, text: str) -> None:
        promtool = require_tool("promtool")
        lint = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual((lint.returncode, lint.stdout, lint.stderr), (0, "", ""))

    def test_promtool_finds_nothing_to_say(self):
        self.lint(self.daemon.get().text)

    def test_promtool_finds_nothing_to_say_about_each_collector_alone(self):
        for labels in self.daemon.scrape().all_of("timewait_exporter_collector_success"):
            collector = dict(labels)["collector"]
            with self.subTest(collector):
                self.lint(self.daemon.get(f"/metrics?collect[]={collector}").text)

    def test_every_family_has_a_type_and_a_help(self):
        exposition = self.daemon.scrape()
        self.assertEqual(exposition.names(), set(exposition.types))
        self.assertEqual(exposition.names(), set(exposition.helps))

    def test_once_prints_what_the_daemon_serves(self):
        collectors = ("netstat", "sockstat", "sysctl")
        flags = ["--collector.disable-defaults", *(f"--collector.{name}" for name in collectors)]
        once = parse_exposition(daemon.run("--once", *flags).stdout)
        query = "&".join(f"collect[]={name}" for name in collectors)
        served = self.daemon.scrape(f"/metrics?{query}")
        self.assertEqual(once.types, served.types)
        self.assertEqual(once.helps, served.helps)


class OpenMetrics(FrozenDaemonTest):
    @classmethod
    def setUpClass(cls) -> None:
        try:
            from prometheus_client.openmetrics import parser
        except ImportError:
            skip_or_fail("python3-prometheus-client is not installed")
        super().setUpClass()
        cls.parse = staticmethod(parser.text_string_to_metric_families)

    def families(self) -> list:
        return list(self.parse(self.daemon.get(Accept=PROMETHEUS_3).text))

    def test_the_strict_parser_takes_it(self):
        self.assertTrue(self.families())

    def test_it_says_the_same_as_the_text(self):
        text = self.daemon.scrape()
        samples: dict[Series, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families() for sample in family.samples}
        self.assertEqual(samples, text.samples)
        for family in self.families():
            name = family.name + ("_total" if family.type == "counter" else "")
            self.assertEqual(family.type, text.types[name], name)
            self.assertEqual(family.documentation, text.helps[name], name)

    def test_no_sample_has_a_timestamp_of_its_own(self):
        for family in self.families():
            for sample in family.samples:
                self.assertIsNone(sample.timestamp, sample)


if __name__ == "__main__":
    run_tests()
