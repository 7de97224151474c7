"""The tarball has the same files as the Debian package, but for what is Debian's."""

import tarfile
import unittest

from support.root import chroot, copy_into, new_root, package, run


class Tarball(unittest.TestCase):
    def test_it_has_the_files_of_the_debian_package(self):
        with tarfile.open(package(".tar.gz")) as archive:
            names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
        listed = run("sh", "-c", f"dpkg-deb --fsys-tarfile {package('.deb')} | tar --list")
        debian = {name.removeprefix("./").rstrip("/") for name in listed.splitlines()} - {""}
        self.assertIn("usr/bin/timewait_exporter", names)
        self.assertEqual(names, debian)

    def test_its_program_runs(self):
        root = new_root(self.addCleanup)
        archive = copy_into(root, package(".tar.gz"))
        chroot(root, "tar", "--extract", "--strip-components=1", "--file", archive)
        self.assertIn("timewait_exporter, version ", chroot(root, "timewait_exporter", "--version"))
