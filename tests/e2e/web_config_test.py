"""Web configuration files, as the daemon and as promtool judge them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from support import daemon
from support.case import EndToEndTest, new_directory, require_tool, run_tests
from support.certificates import make_authority

FIXTURES = Path(__file__).parent.parent / "fixtures" / "web_config"

# What the daemon refuses and promtool does not. docs/web-config.md has the same list.
REFUSED_HERE_ALONE = {
    "only_here_http2": "the daemon speaks HTTP/1.1",
    "only_here_tls11": "versions before TLS 1.2 are broken",
    "only_here_versions_crossed": "no connection could be made",
    "only_here_rsa_key_exchange": "no forward secrecy; Go 1.22 no longer offers it either",
    "only_here_no_suite_of_tls12": "no connection could be made",
    "only_here_clientCAs_nocerts": "no client could be verified",
    "only_here_clientCAs_absent": "every client that any public authority knows could connect",
    "only_here_options_without_certificate": "the port would be open without TLS",
    "only_here_bcrypt_2x": "the hashes of a broken implementation",
    "only_here_bcrypt_cost_high": "a check would take seconds",
    "only_here_colon_in_name": "nobody could give that name",
    "only_here_line_break_in_header": "it would end the header",
    "only_here_yaml_anchor": "no anchors, as in the main configuration",
    "only_here_yaml_boolean": "true and false alone, as in the main configuration",
    "only_here_key_without_value": "probably forgotten",
}

# promtool's complaint about a key that is younger than itself.
_UNKNOWN_TO_PROMTOOL = re.compile(r"field (rate_limit|cert|key|client_ca|client_allowed_sans) not found")


def copy_fixture(fixture: Path, directory: Path) -> Path:
    """The fixture beside the certificates. `@FILE@` in it stands for the file's text."""
    text = fixture.read_text()
    for name in re.findall(r"@([\w.]+)@", text):
        text = text.replace(f"@{name}@", json.dumps((directory / name).read_text())[1:-1])
    copy = directory / fixture.name
    copy.write_text(text)
    return copy


class WebConfigFiles(EndToEndTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.certificates = new_directory(cls.addClassCleanup)
        make_authority(cls.certificates)

    def fixtures(self, verdict: str) -> list[Path]:
        found = sorted((FIXTURES / verdict).glob("*.yml"))
        self.assertGreater(len(found), 10)
        return [copy_fixture(fixture, self.certificates) for fixture in found]

    def check(self, file: Path) -> subprocess.CompletedProcess[str]:
        return daemon.run("--config.check", f"--web.config.file={file}")

    def test_good_files_pass_without_a_word(self):
        for file in self.fixtures("good"):
            with self.subTest(file.name):
                checked = self.check(file)
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_bad_files_are_told_with_their_place(self):
        for file in self.fixtures("bad"):
            with self.subTest(file.name):
                checked = self.check(file)
                self.assertEqual(checked.returncode, 2)
                for line in checked.stderr.splitlines():
                    self.assertRegex(line, rf"^{re.escape(str(file))}:\d+:\d+: \S")
                self.assertNotEqual(checked.stderr, "")

    def test_promtool_agrees_but_where_it_is_known_not_to(self):
        promtool = require_tool("promtool")
        compared = 0
        for verdict in ("good", "bad"):
            for file in self.fixtures(verdict):
                with self.subTest(file.name):
                    checked = subprocess.run([promtool, "check", "web-config", str(file)],
                                             capture_output=True, text=True, timeout=30)
                    said = checked.stdout + checked.stderr
                    if _UNKNOWN_TO_PROMTOOL.search(said):
                        continue
                    expected = verdict == "good" or file.stem in REFUSED_HERE_ALONE
                    self.assertEqual(checked.returncode == 0, expected, said)
                    compared += 1
        self.assertGreater(compared, 50)

    def test_every_difference_has_a_file_and_a_reason(self):
        files = {each.stem for each in (FIXTURES / "bad").glob("only_here_*.yml")}
        self.assertEqual(files, set(REFUSED_HERE_ALONE))

    def test_both_configurations_are_checked_at_once(self):
        directory = self.directory()
        (directory / "config.yaml").write_text("intervall: 1s\n")
        (directory / "web.yml").write_text("rate_limits: {}\n")
        checked = daemon.run("--config.check", f"--config.file={directory}/config.yaml",
                             f"--web.config.file={directory}/web.yml")
        self.assertEqual(checked.returncode, 2)
        self.assertEqual([line.split(": ", 1)[0] for line in checked.stderr.splitlines()],
                         [f"{directory}/config.yaml:1:1", f"{directory}/web.yml:1:1"])

    def test_the_daemon_does_not_start_with_a_bad_file(self):
        directory = self.directory()
        for name, text in (("bad.yml", "x: 1\n"), ("absent.yml", None)):
            if text is not None:
                (directory / name).write_text(text)
            ended = daemon.run("--web.listen-address=127.0.0.1:0",
                               f"--web.config.file={directory}/{name}")
            self.assertEqual(ended.returncode, 2)
            self.assertIn(f"{directory}/{name}:", ended.stderr)

    def test_paths_are_relative_to_the_file_and_not_to_the_process(self):
        directory = self.directory()
        for name in ("server.crt", "server.key"):
            shutil.copy(self.certificates / name, directory)
        (directory / "web.yml").write_text(
            "tls_server_config: { cert_file: server.crt, key_file: server.key }\n")
        for flag in (f"{directory}/web.yml", os.path.relpath(directory / "web.yml", "/")):
            checked = daemon.run("--config.check", f"--web.config.file={flag}", cwd="/")
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))


if __name__ == "__main__":
    run_tests()
