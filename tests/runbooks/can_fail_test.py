"""That a page which does not keep its word is found."""

import unittest
from pathlib import Path

import check_pages
from host import enter_namespace
from one_page import stage
from pages import RUNBOOKS, Page, read_page
from run_page import Runner
from shown_output import missing_line
from support.case import new_directory, run_tests

# A situation that is staged in a moment, and has sockets in two states.
STAGED = "fin_timeout_does_not_shorten_time_wait"
PATIENCE_SECONDS = 1.0


def block(language: str, text: str, output: str = "") -> str:
    shown = f"\n```output\n{output}\n```\n" if output else ""
    return f"```{language}\n{text}\n```\n{shown}"


class BrokenBlocks(unittest.TestCase):
    runner: Runner

    @classmethod
    def setUpClass(cls) -> None:
        cls.runner = stage(read_page(RUNBOOKS / f"{STAGED}.md"), new_directory(cls.addClassCleanup),
                           cls.addClassCleanup, patience=PATIENCE_SECONDS)

    def assert_found(self, text: str, problem: str) -> None:
        found = self.runner.problems(Page("broken", text))
        self.assertEqual(len(found), 1, found)
        self.assertIn(problem, found[0])
        self.assertIn("broken.md:", found[0])

    def test_what_is_right_is_not_found_wrong(self):
        text = block("sh", "ss -tanH state fin-wait-2 | wc -l", "3") + block("promql", "vector(1)")
        self.assertEqual(self.runner.problems(Page("right", text)), [])

    def test_a_command_that_fails(self):
        self.assert_found(block("sh", "sysctl -w net.ipv4.tcp_fin_time=60"), "ends with")

    def test_a_command_that_fails_in_front_of_a_pipe(self):
        self.assert_found(block("sh", "ss -tanH state time-wiat | wc -l", "0"), "time-wiat")

    def test_a_command_that_is_not_there(self):
        self.assert_found(block("sh", "ssh-sockets", ), "ends with 127")

    def test_a_command_that_complains(self):
        self.assert_found(block("sh", "echo 'no such socket' >&2"), "no such socket")

    def test_a_filter_that_does_not_show_the_sockets(self):
        self.assert_found(block("sh", "ss -tanH state time-wait dst 192.0.2.21", "... 192.0.2.20:80"),
                          "does not print")

    def test_a_series_that_is_grepped_in_vain(self):
        self.assert_found(block("sh", "curl -s localhost:10060/metrics | grep ^timewait_no_such_series", "1"),
                          "ends with 1")

    def test_a_command_that_prints_and_does_not_show_it(self):
        self.assert_found(block("sh", "ss -tanH"), "shows nothing")

    def test_a_query_that_does_not_parse(self):
        self.assert_found(block("promql", "rate(timewait_netstat_tw_total)"), "promtool")

    def test_a_query_without_data(self):
        self.assert_found(block("promql", "timewait_sysctl_net_ipv4_tcp_fin_timeout > 60"), "no data")

    def test_a_block_of_an_unknown_kind(self):
        self.assert_found(block("console", "$ ss -s"), "how is a block marked 'console' to be run")

    def test_an_indented_block_is_run(self):
        self.assert_found("1. Do\n\n   ```sh\n   false\n   ```\n", "ends with 1")

    def test_a_page_without_a_situation(self):
        with self.assertRaisesRegex(AssertionError, "no situation is staged for unheard-of.md"):
            stage(Page("unheard-of", block("sh", "true")), Path(), self.addCleanup)


class ShownOutput(unittest.TestCase):
    def test_amounts_and_chosen_ports_may_differ(self):
        self.assertIsNone(missing_line('10 192.0.2.10:41022 pid=1', '12  192.0.2.10:50000   pid=1'))

    def test_addresses_services_names_and_answers_may_not(self):
        for shown, printed in (("192.0.2.10", "192.0.2.11"), (":80", ":81"), ('"nginx"', '"apache"'),
                               ("x 0", "x 5"), ("x 1", "x 0"), ("tcp_tw_reuse = 2", "tcp_tw_recycle = 2")):
            self.assertEqual(missing_line(shown, printed), shown)

    def test_lines_come_in_their_order(self):
        self.assertIsNone(missing_line("a\nc", "a\nb\nc"))
        self.assertEqual(missing_line("c\na", "a\nb\nc"), "a")


class BrokenPages(unittest.TestCase):
    def test_a_page_without_a_section_or_urgency(self):
        text = read_page(RUNBOOKS / f"{STAGED}.md").text
        self.assertEqual(list(check_pages.wrong_shape(Page(STAGED, text))), [])
        for part in ("# fin", "**Info: ", "At once:", "## What not to do\n", "curl ", "```promql"):
            self.assertNotEqual(list(check_pages.wrong_shape(Page(STAGED, text.replace(part, "")))), [], part)

    def test_a_series_that_there_is_not(self):
        page = Page("page", block("sh", "grep -E '^timewait_(sockets|such)\\{'") + "`timewait_exporter`")
        self.assertEqual(list(check_pages.unknown_series(page, ["timewait_sockets"])),
                         ["names timewait_such, which the exporter does not have"])

    def test_a_command_in_the_text(self):
        self.assertNotEqual(list(check_pages.commands_outside_of_blocks(Page("page", "Do `ss -tan`."))), [])

    def test_a_fence_that_is_not_seen(self):
        self.assertNotEqual(list(check_pages.unclosed_fences(Page("page", "```sh\nfalse\n  ```\n"))), [])

    def test_links_to_nowhere(self):
        path = RUNBOOKS / "README.md"
        for link in ("Nothing.md", "README.md#nothing", "#nothing"):
            self.assertNotEqual(list(check_pages.broken_links(Page("page", f"[x]({link})"), path)), [], link)

    def test_alerts_without_a_page_pages_without_an_alert_and_other_severities(self):
        rendered = ('groups:\n- name: a\n  rules:\n  - alert: New\n    labels:\n      severity: info\n'
                    '  - "alert": "Kept"\n    "labels":\n      "severity": "warning"\n')
        severities = check_pages.severities_of_alerts(rendered)
        self.assertEqual(severities, {"New": "info", "Kept": "warning"})
        pages = {name: Page(name, "**Critical: x.** At once: y.") for name in ("Kept", "Old")}
        self.assertEqual(list(check_pages.wrong_set_of_pages(pages, severities)),
                         ["New has no page", "Old.md belongs to nothing that there is",
                          "Kept.md says critical; it is warning"])


if __name__ == "__main__":
    enter_namespace()
    run_tests()
