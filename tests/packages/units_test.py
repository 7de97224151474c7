"""The systemd units and their drop-ins, judged by systemd-analyze without a running systemd."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
SERVICE = SYSTEMD / "timewait_exporter.service"
DROP_INS = sorted((SYSTEMD / "examples").glob("*.conf"))
# Tenths: 2.0 of 10.
WORST_EXPOSURE = 20
SKIPPED = 77


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], text=True, check=False, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Units(unittest.TestCase):
    def installed(self, *drop_ins: Path) -> Path:
        """A directory of units with the drop-ins in force and a program in the place of ours."""
        directory = tempfile.TemporaryDirectory(prefix="timewait-units-")
        self.addCleanup(directory.cleanup)
        units = Path(directory.name)
        shutil.copy(SYSTEMD / "timewait_exporter.socket", units)
        text = SERVICE.read_text()
        for program in ("/usr/bin/timewait_exporter", "/bin/kill"):
            self.assertIn(f"={program} ", text)
            text = text.replace(f"={program} ", "=/bin/true ")
        (units / SERVICE.name).write_text(text)
        overrides = units / f"{SERVICE.name}.d"
        overrides.mkdir()
        for drop_in in drop_ins:
            shutil.copy(drop_in, overrides)
        return units

    def verify(self, units: Path) -> str:
        """What systemd-analyze has to say; the man page is not installed."""
        names = [str(units / SERVICE.name), str(units / "timewait_exporter.socket")]
        return analyze("verify", "--man=no", *names).stdout

    def assert_exposure(self, *drop_ins: Path) -> None:
        service = self.installed(*drop_ins) / SERVICE.name
        report = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(service))
        self.assertEqual(report.returncode, 0, report.stdout[-200:])

    def test_the_units_are_without_reproach(self):
        self.assertEqual(self.verify(self.installed()), "")

    def test_each_drop_in_is_without_reproach(self):
        self.assertEqual(len(DROP_INS), 3)
        for drop_in in DROP_INS:
            with self.subTest(drop_in.name):
                self.assertEqual(self.verify(self.installed(drop_in)), "")

    def test_all_drop_ins_go_together(self):
        self.assertEqual(self.verify(self.installed(*DROP_INS)), "")

    def test_a_mistake_in_a_unit_or_drop_in_is_seen(self):
        for name in (SERVICE.name, "timewait_exporter.socket", f"{SERVICE.name}.d/{DROP_INS[0].name}"):
            with self.subTest(name):
                units = self.installed(*DROP_INS)
                with (units / name).open("a") as unit:
                    unit.write("Nonsense=yes\n")
                self.assertIn("Nonsense", self.verify(units))

    def test_the_service_is_little_exposed(self):
        self.assert_exposure()

    def test_drop_ins_expose_it_no_more(self):
        for drop_in in DROP_INS:
            with self.subTest(drop_in.name):
                self.assert_exposure(drop_in)

    def test_more_exposure_is_seen(self):
        service = self.installed() / SERVICE.name
        service.write_text(service.read_text().replace("RestrictNamespaces=yes\n", ""))
        report = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(service))
        self.assertNotEqual(report.returncode, 0, report.stdout[-200:])


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed")
        sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)
    unittest.main(verbosity=2)
