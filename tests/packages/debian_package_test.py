"""The Debian package is installed, upgraded, removed and purged in a fresh root where no systemd runs."""

import os
import unittest
from pathlib import Path

from support.root import chroot, copy_into, new_root, package

UNIT = "timewait_exporter.service"
WANTED = f"etc/systemd/system/multi-user.target.wants/{UNIT}"
# What was enabled is remembered until the package is purged.
SYSTEMD_STATE = ("etc/systemd/system/multi-user.target.wants", "var/lib/systemd/deb-systemd-helper")
# What dpkg itself writes.
DPKG_FILES = ("var/lib/dpkg/", "var/log/", "var/cache/", "root/")


def files(root: Path) -> set[str]:
    """Every file and directory that is not dpkg's own."""
    found = set()
    for directory, names, leaves in os.walk(root):
        found.update(os.path.relpath(os.path.join(directory, name), root) for name in names + leaves)
    return {name for name in found if not name.startswith(DPKG_FILES)}


class DebianPackage(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.root = new_root(self.addCleanup)
        self.before = files(self.root)

    def dpkg(self, *arguments: str) -> str:
        return chroot(self.root, "dpkg", *arguments)

    def install(self, upgrade: bool = False) -> None:
        self.dpkg("--install", copy_into(self.root, package(".deb", upgrade)))

    def systemctl(self, *arguments: str) -> str:
        return chroot(self.root, "systemctl", *arguments, check=False)

    def status(self) -> str:
        return chroot(self.root, "dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}",
                      "timewait-exporter", check=False)

    def test_it_runs_once_it_is_installed(self):
        self.install()
        self.assertTrue(self.status().startswith("ii "), self.status())
        self.assertIn("timewait_exporter, version ", chroot(self.root, "timewait_exporter", "--version"))
        chroot(self.root, "timewait_exporter", "--config.check",
               "--config.file=/etc/timewait_exporter/config.yml")

    def test_the_service_is_enabled_and_its_socket_is_not(self):
        self.install()
        self.assertEqual(self.systemctl("is-enabled", UNIT), "enabled")
        self.assertTrue((self.root / WANTED).is_symlink())
        self.assertEqual(self.systemctl("is-enabled", "timewait_exporter.socket"), "disabled")

    def test_an_upgrade_keeps_configuration_that_was_changed(self):
        self.install()
        first = self.status()
        changed = {"etc/default/timewait_exporter": 'ARGS="--log.level=debug"\n',
                   "etc/timewait_exporter/config.yml": "interval: 30s\n"}
        for name, text in changed.items():
            (self.root / name).write_text(text)
        self.install(upgrade=True)
        self.assertEqual(self.status(), f"{first}.1")
        for name, text in changed.items():
            self.assertEqual((self.root / name).read_text(), text)
        self.assertEqual(self.systemctl("is-enabled", UNIT), "enabled")

    def test_an_upgrade_does_not_enable_what_the_administrator_disabled(self):
        self.install()
        for action, state in (("disable", "disabled"), ("mask", "masked")):
            with self.subTest(action):
                self.systemctl(action, UNIT)
                self.install(upgrade=True)
                self.assertEqual(self.systemctl("is-enabled", UNIT), state)

    def test_an_upgrade_leaves_an_enabled_socket_enabled(self):
        self.install()
        self.systemctl("enable", "timewait_exporter.socket")
        self.install(upgrade=True)
        self.assertEqual(self.systemctl("is-enabled", "timewait_exporter.socket"), "enabled")

    def test_removing_keeps_the_configuration_alone(self):
        self.install()
        self.dpkg("--remove", "timewait-exporter")
        left = files(self.root) - self.before
        self.assertEqual({name for name in left if not name.startswith(SYSTEMD_STATE)},
                         {"etc/default/timewait_exporter", "etc/timewait_exporter",
                          "etc/timewait_exporter/config.yml"})

    def test_purging_leaves_nothing(self):
        self.install()
        self.dpkg("--purge", "timewait-exporter")
        self.assertEqual(files(self.root) - self.before, set())
        self.assertEqual(self.before - files(self.root), set())

    def test_purging_after_an_upgrade_and_a_removal_leaves_nothing(self):
        self.install()
        self.systemctl("enable", "timewait_exporter.socket")
        self.install(upgrade=True)
        self.dpkg("--remove", "timewait-exporter")
        self.dpkg("--purge", "timewait-exporter")
        self.assertEqual(files(self.root) - self.before, set())

    def test_it_can_be_installed_again(self):
        self.install()
        self.dpkg("--remove", "timewait-exporter")
        self.install()
        self.assertEqual(self.systemctl("is-enabled", UNIT), "enabled")
