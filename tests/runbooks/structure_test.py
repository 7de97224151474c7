"""The pages as a whole: one for each alert and each advice rule, of one form, and true to the program's names."""

import re
import unittest

import check_pages
from pages import ADVICE, ROOT, RUNBOOKS, Page, all_pages, read_page
from situations import STAGES
from support.case import run_tests
from support.daemon import run
from support.exposition import parse_exposition

MONITORING = ROOT / "packaging" / "monitoring"
INDEX = "README"
OVERVIEW = "advice"


def of_alerts_and_rules() -> dict[str, Page]:
    return {page.name: page for page in all_pages() if page.name not in (INDEX, OVERVIEW)}


def is_of_alert(name: str) -> bool:
    return name[0].isupper()


def severities_of_rules() -> dict[str, str]:
    """As the program has them."""
    done = run("--once", "--collector.disable-defaults", "--collector.sock_diag", "--collector.advice")
    advice = parse_exposition(done.stdout).all_of("timewait_advice")
    return {dict(labels)["rule"]: dict(labels)["severity"] for labels in advice}


class Structure(unittest.TestCase):
    maxDiff = None

    def assert_nothing(self, problems: dict[str, list[str]]) -> None:
        self.assertEqual({name: found for name, found in problems.items() if found}, {})

    def test_each_page_has_the_form(self):
        self.assert_nothing({page.name: list(check_pages.wrong_shape(page))
                             for page in of_alerts_and_rules().values()})

    def test_each_fence_is_seen(self):
        self.assert_nothing({page.name: list(check_pages.unclosed_fences(page)) for page in all_pages()})

    def test_each_series_is_one_of_the_exporter(self):
        known = re.findall(r"^\| (\w+) \|", run("--list-metrics").stdout, re.MULTILINE)
        self.assertGreater(len(known), 100)
        self.assert_nothing({page.name: list(check_pages.unknown_series(page, known)) for page in all_pages()})

    def test_each_command_stands_where_it_is_run(self):
        self.assert_nothing({page.name: list(check_pages.commands_outside_of_blocks(page))
                             for page in of_alerts_and_rules().values()})

    def test_each_link_leads_somewhere(self):
        paths = [*RUNBOOKS.glob("*.md"), ADVICE]
        self.assert_nothing({path.stem: list(check_pages.broken_links(read_page(path), path))
                             for path in paths})

    def test_each_rule_has_a_page_and_each_page_a_rule(self):
        pages = {name: page for name, page in of_alerts_and_rules().items() if not is_of_alert(name)}
        self.assertEqual(list(check_pages.wrong_set_of_pages(pages, severities_of_rules())), [])

    def test_each_alert_has_a_page_and_each_page_an_alert(self):
        if not MONITORING.exists():
            self.skipTest("there is no mixin")
        severities = check_pages.severities_of_alerts((MONITORING / "rendered" / "alerts.yaml").read_text())
        pages = {name: page for name, page in of_alerts_and_rules().items() if is_of_alert(name)}
        self.assertEqual(list(check_pages.wrong_set_of_pages(pages, severities)), [])

    def test_the_index_has_each_page(self):
        index = read_page(RUNBOOKS / f"{INDEX}.md")
        self.assertEqual(list(check_pages.missing_in_index(index, of_alerts_and_rules().values())), [])

    def test_each_situation_is_of_a_page(self):
        self.assertEqual(STAGES.keys() - {page.name for page in all_pages()}, set())


if __name__ == "__main__":
    run_tests()
