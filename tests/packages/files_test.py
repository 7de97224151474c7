"""What is packaged beside the program agrees with the program."""

import gzip
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["TIMEWAIT_PROGRAM"]
# Where CMake puts what it makes for the packages.
GENERATED = Path(os.environ["TIMEWAIT_PACKAGING_DIR"])
SOURCE = Path(__file__).resolve().parents[2]
PACKAGING = SOURCE / "packaging"
FLAG = r"--[a-z][a-z0-9._-]*[a-z0-9_]"

COMPLETE = """
_init_completion() { cur=$WORD; prev=timewait_exporter; split=false; }
source "$FILE"
_timewait_exporter
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(*command: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, text=True, check=False, timeout=30, capture_output=True, **options)


def flags_of_help() -> set[str]:
    flags = set(re.findall(FLAG, run(PROGRAM, "--help").stdout))
    assert len(flags) > 20, flags
    return flags


def one_line(text: str) -> str:
    return " ".join(text.split())


class Flags(unittest.TestCase):
    maxDiff = None

    def test_the_man_page_has_every_flag(self):
        page = gzip.decompress((GENERATED / "timewait_exporter.1.gz").read_bytes()).decode()
        options = page.split(".SH OPTIONS", 1)[1].split(".SH", 1)[0].replace("\\-", "-")
        self.assertEqual(set(re.findall(FLAG, options)), flags_of_help())

    def test_the_completion_of_bash_has_every_flag(self):
        flags = run("bash", "-c", COMPLETE, env={
            "FILE": str(PACKAGING / "completion/timewait_exporter.bash"), "WORD": "--"})
        self.assertEqual(flags.stderr, "")
        self.assertEqual(set(flags.stdout.split()), flags_of_help())

    def test_the_completion_of_bash_narrows_down(self):
        flags = run("bash", "-c", COMPLETE, env={
            "FILE": str(PACKAGING / "completion/timewait_exporter.bash"), "WORD": "--log"})
        self.assertEqual(flags.stdout.split(), ["--log.level", "--log.format"])

    def test_the_completion_of_zsh_has_every_flag(self):
        text = (PACKAGING / "completion/timewait_exporter.zsh").read_text()
        self.assertEqual(set(re.findall(FLAG, text)), flags_of_help())

    def test_the_environment_file_has_the_flags_of_a_service(self):
        documented = set(re.findall(r"^#  (--\S+)", (PACKAGING / "etc/default").read_text(), re.M))
        collectors = {flag for flag in flags_of_help() if re.match("--(no-)?collector", flag)}
        other = {"--help", "--version", "--once", "--config.check", "--list-collectors", "--list-metrics"}
        self.assertEqual(
            documented,
            flags_of_help() - collectors - other
            | {"--collector.NAME", "--no-collector.NAME", "--collector.disable-defaults"})


class Configuration(unittest.TestCase):
    def check(self, text: str) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            checked = run(PROGRAM, "--config.check", f"--config.file={file.name}")
        return checked.stderr

    def test_it_is_valid_as_it_is_shipped(self):
        self.assertEqual(self.check((PACKAGING / "etc/config.yml").read_text()), "")

    def test_it_is_valid_with_every_key(self):
        text = re.sub(r"^#(?=[a-z]|  )", "", (PACKAGING / "etc/config.yml").read_text(), flags=re.M)
        self.assertIn("\ncollectors:\n", text)
        self.assertEqual(self.check(text), "")

    def test_it_has_every_collector(self):
        text = (PACKAGING / "etc/config.yml").read_text()
        listed = run(PROGRAM, "--list-collectors").stdout
        names = {match[1] for flag in flags_of_help() if (match := re.match(r"--no-collector\.(.+)", flag))}
        self.assertTrue(all(name in listed for name in names), listed)
        self.assertEqual(set(re.findall(r"^#  ([a-z_]+):", text, re.M)) & names, names)


class Changelog(unittest.TestCase):
    def setUp(self):
        self.debian = gzip.decompress((GENERATED / "changelog.gz").read_bytes()).decode()
        self.markdown = (SOURCE / "CHANGELOG.md").read_text()

    def test_its_version_is_the_programs(self):
        version = re.search(r"version (\S+)", run(PROGRAM, "--version").stdout)[1]
        self.assertTrue(self.debian.startswith(f"timewait-exporter ({version}) "), self.debian[:80])

    def test_it_has_every_version_and_entry(self):
        versions = re.findall(r"^## (\S+) / ", self.markdown, re.M)
        self.assertEqual(re.findall(r"^timewait-exporter \((\S+)\)", self.debian, re.M), versions)
        entries = [one_line(entry) for entry in re.findall(r"^\* (?:.+\n)(?:  .+\n)*", self.markdown, re.M)]
        self.assertGreater(len(entries), 5)
        self.assertEqual(
            [one_line(entry) for entry in re.findall(r"^  \* (?:.+\n)(?:    .+\n)*", self.debian, re.M)],
            entries)

    def test_its_lines_are_no_longer_than_debian_likes(self):
        self.assertEqual([line for line in self.debian.splitlines()
                          if len(line) > 80 and not line.startswith(" -- ")], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
