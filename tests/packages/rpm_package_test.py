"""The RPM, installed with its scriptlets into a root of Debian, whose libraries it is linked with. Dependencies are
not looked at: that root has no database of RPMs. A distribution of RPMs has to be what it is built on."""

import unittest

from support.root import new_root, package, run

UNIT = "timewait_exporter.service"


def query(*arguments: str) -> str:
    return run("rpm", "--query", "--package", *arguments, str(package(".rpm")))


class RpmContents(unittest.TestCase):
    def test_the_units_are_where_systemd_looks(self):
        names = query("--list").splitlines()
        self.assertIn(f"/usr/lib/systemd/system/{UNIT}", names)
        self.assertIn("/usr/lib/systemd/system/timewait_exporter.socket", names)

    def test_configuration_is_not_replaced(self):
        flags = query("--queryformat", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]").splitlines()
        marked = {line.split()[0] for line in flags if line.endswith(" cn")}
        self.assertEqual(marked, {"/etc/default/timewait_exporter", "/etc/timewait_exporter/config.yml"})

    def test_no_directory_of_the_system_is_its_own(self):
        owned = set(query("--list").splitlines())
        self.assertEqual(owned & {"/etc", "/etc/default", "/usr", "/usr/bin", "/usr/lib/systemd/system",
                                  "/usr/share/man/man1", "/usr/share/licenses"}, set())

    def test_it_requires_the_libraries_that_it_is_linked_with(self):
        self.assertIn("libprometheus-cpp-core.so", query("--requires"))

    def test_it_has_scriptlets_for_the_unit(self):
        scripts = query("--scripts")
        for part in ("postinstall", "preuninstall", "postuninstall"):
            self.assertIn(f"{part} scriptlet", scripts)


class RpmScriptlets(unittest.TestCase):
    def setUp(self):
        self.root = new_root(self.addCleanup)
        (self.root / "etc/systemd/system-preset").mkdir()
        (self.root / "etc/systemd/system-preset/00-test.preset").write_text(
            f"enable {UNIT}\ndisable timewait_exporter.socket\n")

    def rpm(self, *arguments: str) -> str:
        return run("rpm", f"--root={self.root}", *arguments)

    def install(self, upgrade: bool = False) -> None:
        self.rpm("--nodeps", "--upgrade", str(package(".rpm", upgrade)))

    def enabled(self, unit: str) -> str:
        return run("systemctl", f"--root={self.root}", "is-enabled", unit, check=False)

    def test_the_preset_decides_what_is_enabled(self):
        self.install()
        self.assertEqual(self.enabled(UNIT), "enabled")
        self.assertEqual(self.enabled("timewait_exporter.socket"), "disabled")

    def test_its_program_runs(self):
        self.install()
        version = run("chroot", str(self.root), "timewait_exporter", "--version")
        self.assertIn("timewait_exporter, version ", version)

    def test_an_upgrade_keeps_configuration_and_state(self):
        self.install()
        file = self.root / "etc/timewait_exporter/config.yml"
        file.write_text("interval: 30s\n")
        run("systemctl", f"--root={self.root}", "disable", UNIT)
        self.install(upgrade=True)
        self.assertEqual(file.read_text(), "interval: 30s\n")
        self.assertEqual(self.enabled(UNIT), "disabled")
        self.assertEqual(self.rpm("--query", "--all").count("timewait-exporter"), 1)

    def test_erasing_disables_and_leaves_no_program(self):
        self.install()
        self.rpm("--nodeps", "--erase", "timewait-exporter")
        self.assertFalse((self.root / "usr/bin/timewait_exporter").exists())
        self.assertFalse((self.root / f"etc/systemd/system/multi-user.target.wants/{UNIT}").is_symlink())
        self.assertFalse((self.root / "etc/timewait_exporter").exists())
