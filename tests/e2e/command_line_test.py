"""The program as a command: what it prints, on which stream, and the status that it ends with."""

import re
import subprocess
from pathlib import Path

from support.case import EndToEndTest, run_tests
from support.daemon import PROGRAM, run
from support.exposition import parse_exposition
from support.log import parse_json

# These need no privilege.
PLAIN_COLLECTORS = ("--collector.disable-defaults", "--collector.sockstat", "--collector.netstat")

BAD_CONFIG = """\
interval: 15
web:
  telemetry_path: metrics
  port: 10060
collectors:
  sockstats: {}
  netstat:
    extra_fields: [TCPTimeouts, not a name]
    extra_fields: []
"""
BAD_PLACES = ["1:11", "3:19", "4:3", "6:3", "8:33", "9:5"]


def lines_about(name: str, text: str) -> list[str]:
    return [line for line in text.splitlines() if name in line]


class CommandLineTest(EndToEndTest):
    def output_of(self, *arguments: str) -> str:
        """What a successful run prints; it has nothing to say on standard error."""
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def complaint_of(self, *arguments: str) -> str:
        """What a run with a wrong flag or file says on standard error; it prints nothing."""
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        return done.stderr

    def write(self, text: str) -> Path:
        file = self.directory() / "config.yaml"
        file.write_text(text)
        return file


class Information(CommandLineTest):
    def test_version_names_the_program_its_revision_and_its_compiler(self):
        self.assertRegex(
            self.output_of("--version"),
            r"^timewait_exporter, version \d+\.\d+\.\d+ \(revision: \w+\)\n  compiler: \w+ .+\n$")

    def test_help_explains_every_flag(self):
        text = self.output_of("--help")
        for flag in ("--config.file", "--config.check", "--once", "--web.listen-address",
                     "--web.telemetry-path", "--web.systemd-socket", "--collector.sockstat",
                     "--no-collector.sockstat", "--collector.disable-defaults", "--path.procfs",
                     "--path.sysfs", "--log.level", "--log.format", "--list-collectors",
                     "--list-metrics", "--version", "--help"):
            with self.subTest(flag):
                self.assertRegex(text, rf"{re.escape(flag)}\b.* \w+")

    def test_every_listed_collector_has_its_flags(self):
        flags = self.output_of("--help")
        collectors = re.findall(r"^(\w+) \(", self.output_of("--list-collectors"), re.MULTILINE)
        self.assertIn("sock_diag", collectors)
        for collector in collectors:
            with self.subTest(collector):
                self.assertIn(f"--collector.{collector} ", flags)
                self.assertIn(f"--no-collector.{collector} ", flags)

    def test_list_metrics_lists_every_metric_that_is_published(self):
        listed = {tuple(cell.strip() for cell in line.strip("|").split("|"))[:2]
                  for line in self.output_of("--list-metrics").splitlines()[2:]}
        published = parse_exposition(run("--once").stdout).types
        self.assertEqual(set(published.items()) - listed, set())


class Once(CommandLineTest):
    def test_once_prints_the_exposition_and_nothing_else(self):
        exposition = parse_exposition(self.output_of("--once", *PLAIN_COLLECTORS))
        self.assertEqual(exposition.value("timewait_exporter_polls_total"), 1)
        self.assertIsNotNone(exposition.value("timewait_sockstat_tcp_time_wait", netns="self"))

    def test_once_runs_every_enabled_collector_and_its_status_says_whether_all_succeeded(self):
        done = run("--once")
        success = parse_exposition(done.stdout).all_of("timewait_exporter_collector_success")
        enabled = re.findall(r"^(\w+) \(on ", self.output_of("--list-collectors"), re.MULTILINE)
        self.assertEqual({dict(labels)["collector"] for labels in success}, set(enabled))
        self.assertEqual(done.returncode, 0 if all(success.values()) else 1, done.stderr)

    def test_once_fails_where_it_cannot_print(self):
        for redirection in (">&-", ">/dev/full"):
            with self.subTest(redirection):
                command = ["sh", "-c", f'exec "$0" "$@" {redirection}', PROGRAM, "--once",
                           *PLAIN_COLLECTORS]
                self.assertEqual(subprocess.run(command, timeout=60).returncode, 1)

    def test_once_prints_what_it_has_and_fails_where_a_collector_failed(self):
        done = run("--once", *PLAIN_COLLECTORS, f"--path.procfs={self.directory()}")
        self.assertEqual(done.returncode, 1)
        exposition = parse_exposition(done.stdout)
        self.assertEqual(
            exposition.value("timewait_exporter_collector_success", collector="sockstat"), 0)
        self.assertEqual(len(lines_about("collector=sockstat", done.stderr)), 1, done.stderr)

    def test_a_disabled_collector_is_left_out(self):
        names = parse_exposition(run("--once", "--no-collector.sockstat").stdout).names()
        self.assertIn("timewait_sockets", names)
        self.assertNotIn("timewait_sockstat_tcp_time_wait", names)

    def test_without_the_defaults_only_what_is_named_runs(self):
        text = self.output_of("--once", "--collector.disable-defaults", "--collector.sockstat")
        success = parse_exposition(text).all_of("timewait_exporter_collector_success")
        self.assertEqual(success, {frozenset({("collector", "sockstat")}): 1})

    def test_a_flag_wins_over_the_file(self):
        file = self.write(
            "collectors: { sockstat: { enabled: false }, sysctl: { enabled: true } }\n")
        flags = (f"--config.file={file}", "--collector.disable-defaults", "--collector.sockstat")
        success = parse_exposition(self.output_of("--once", *flags)).all_of(
            "timewait_exporter_collector_success")
        self.assertEqual({dict(labels)["collector"] for labels in success}, {"sockstat", "sysctl"})

    def test_no_collector_at_all_is_an_error(self):
        self.assertIn("no collector is enabled",
                      self.complaint_of("--once", "--collector.disable-defaults"))


class ConfigCheck(CommandLineTest):
    def test_a_good_file_passes_in_silence(self):
        file = self.write("interval: 30s\ncollectors: { sockstat: { interval: 5s } }\n")
        self.assertEqual(self.output_of("--config.check", f"--config.file={file}"), "")

    def test_the_defaults_pass(self):
        self.assertEqual(self.output_of("--config.check"), "")

    def test_every_problem_is_a_line_with_its_place(self):
        file = self.write(BAD_CONFIG)
        problems = self.complaint_of("--config.check", f"--config.file={file}").splitlines()
        places = [re.match(rf"{re.escape(str(file))}:(\d+:\d+): \S", line) for line in problems]
        self.assertEqual([place and place[1] for place in places], BAD_PLACES, problems)

    def test_a_bad_file_keeps_the_daemon_from_starting(self):
        file = self.write(BAD_CONFIG)
        self.assertEqual(self.complaint_of(f"--config.file={file}"),
                         self.complaint_of("--config.check", f"--config.file={file}"))

    def test_a_file_that_is_not_there_is_named(self):
        missing = self.directory() / "missing.yaml"
        self.assertEqual(self.complaint_of("--config.check", f"--config.file={missing}"),
                         f"{missing}: cannot read the file: No such file or directory\n")

    def test_a_directory_is_no_file(self):
        self.assertIn("is a directory", self.complaint_of(f"--config.file={self.directory()}"))

    def test_text_that_is_no_yaml_is_one_problem_with_its_place(self):
        file = self.write("web: [\n")
        problems = self.complaint_of("--config.check", f"--config.file={file}").splitlines()
        self.assertEqual(len(problems), 1, problems)
        self.assertRegex(problems[0], rf"^{re.escape(str(file))}:\d+:\d+: ")


class BadFlags(CommandLineTest):
    def test_an_unknown_flag_is_named(self):
        for flag in ("--nope", "--collector.nope", "--web.listen-addres=127.0.0.1:0", "argument"):
            with self.subTest(flag):
                self.assertIn(flag.partition("=")[0], self.complaint_of(flag))

    def test_an_unknown_log_level_is_told_the_known_ones(self):
        self.assertIn('expected debug, info, warn or error, found "loud"',
                      self.complaint_of("--log.level=loud"))

    def test_an_unknown_log_format_is_told_the_known_ones(self):
        self.assertIn('expected logfmt or json, found "xml"', self.complaint_of("--log.format=xml"))

    def test_a_bad_listen_address_is_refused(self):
        for address in ("localhost:1", "127.0.0.1", "127.0.0.1:65536", "::1:80", "unix:", ""):
            with self.subTest(address):
                self.assertIn("--web.listen-address",
                              self.complaint_of(f"--web.listen-address={address}"))

    def test_a_bad_telemetry_path_is_refused(self):
        for path in ("metrics", "/", "/-/metrics", "/a b", "/a?b", "/a#b"):
            with self.subTest(path):
                self.assertIn("--web.telemetry-path",
                              self.complaint_of(f"--web.telemetry-path={path}"))

    def test_a_flag_without_its_value_is_refused(self):
        self.assertIn("--config.file", self.complaint_of("--config.file"))


class Logs(CommandLineTest):
    def test_logfmt_is_the_default_and_every_line_of_it_parses(self):
        running = self.start(*PLAIN_COLLECTORS)
        self.assertTrue(all(line.startswith("ts=") for line in running.raw_log), running.raw_log)
        for record in running.log():
            self.assertRegex(record["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(record["level"], "info")
        messages = [record["msg"] for record in running.log()]
        self.assertEqual(messages, ["starting timewait_exporter", "listening"])

    def test_every_line_of_json_is_an_object(self):
        done = run("--log.format=json", "--web.systemd-socket", *PLAIN_COLLECTORS)
        records = [parse_json(line) for line in done.stderr.splitlines()]
        self.assertEqual([record["level"] for record in records], ["info", "error"])
        self.assertEqual(set(records[1]), {"ts", "level", "msg"})

    def test_less_than_the_level_is_not_logged(self):
        for level, expected in (("debug", ["info", "error"]), ("info", ["info", "error"]),
                                ("warn", ["error"]), ("error", ["error"])):
            with self.subTest(level):
                done = run(f"--log.level={level}", "--web.systemd-socket", *PLAIN_COLLECTORS)
                levels = re.findall(r" level=(\w+) ", done.stderr)
                self.assertEqual(levels, expected)


if __name__ == "__main__":
    run_tests()
