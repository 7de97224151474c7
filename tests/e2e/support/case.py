"""The base of the test cases, and how a test file is run."""

import os
import shutil
import signal
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from support.client import Reply, request
from support.daemon import Daemon

PATIENCE_SECONDS = 10.0
# What CMakeLists.txt tells ctest to take for "every test in the file was skipped".
SKIPPED = 77

Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], what: str,
               patience_seconds: float = PATIENCE_SECONDS) -> Found:
    """The condition's value as soon as it holds; fails where it does not in time."""
    deadline = time.monotonic() + patience_seconds
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_seconds:g} s in vain until {what}")
        time.sleep(0.01)


def skip_or_fail(reason: str) -> NoReturn:
    """Skips the test; where everything has to be installed, the lack is a failure."""
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{reason} (CI=true)")
    raise unittest.SkipTest(reason)


def require_tool(name: str) -> str:
    """The path of an installed program."""
    return shutil.which(name) or skip_or_fail(f"{name} is not installed")


def new_directory(cleanup: Callable) -> Path:
    """A new directory, open to every user; `cleanup` is addCleanup or addClassCleanup."""
    directory = tempfile.TemporaryDirectory(prefix="timewait-e2e-")
    cleanup(directory.cleanup)
    path = Path(directory.name)
    path.chmod(0o755)
    return path


def start_daemon(cleanup: Callable, *flags: str, config: str | None = None, **options) -> Daemon:
    """A daemon that serves. When the test or class ends it is stopped, and has to end well."""
    if config is not None:
        file = new_directory(cleanup) / "config.yaml"
        file.write_text(config)
        flags = (f"--config.file={file}", *flags)
    daemon = Daemon.on_loopback(*flags, **options)
    cleanup(daemon.stop)
    daemon.wait_until_ready()
    return daemon


class EndToEndTest(unittest.TestCase):
    """Gives each test directories and daemons that are gone after it."""

    maxDiff = None

    def directory(self) -> Path:
        return new_directory(self.addCleanup)

    def start(self, *flags: str, **options) -> Daemon:
        return start_daemon(self.addCleanup, *flags, **options)

    def assert_status(self, reply: Reply, status: int) -> None:
        self.assertEqual(reply.status, status, reply.body[:200])


class FrozenDaemonTest(EndToEndTest):
    """One daemon for the tests of a class. It polls once at its start and not again: two replies
    differ only where they should."""

    flags: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = start_daemon(cls.addClassCleanup, *cls.flags, config="interval: 1h\n")

    def request(self, target: str, method: str = "GET", **options) -> Reply:
        return request(self.daemon.address, target, method=method, **options)


def run_tests() -> NoReturn:
    """Runs the tests of the calling file, as ctest wants to hear of it."""
    # So that the directories are removed where the tests are told to end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    result = unittest.main(module="__main__", verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    all_skipped = bool(result.skipped) and result.testsRun <= len(result.skipped)
    sys.exit(SKIPPED if all_skipped else 0)
