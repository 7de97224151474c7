"""The program under test as a process."""

import os
import pwd
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from support import client
from support.exposition import Exposition, parse_exposition
from support.log import Record, matches, parse_logfmt

PROGRAM = os.environ["TIMEWAIT_PROGRAM"]
START_SECONDS = 15.0
STOP_SECONDS = 5.0


def launcher(as_nobody: bool = False) -> list[str]:
    """A command that goes before another: it ends with the test that started it, however that ends,
    and has no privilege if so asked."""
    command = ["setpriv", "--pdeathsig", "KILL"]
    if as_nobody and os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        command += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return command


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """The program with these arguments, until it ends by itself."""
    return subprocess.run(
        [*launcher(), PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        **options,
    )


def copy_program(directory: Path) -> str:
    """The program where every user can run it."""
    copy = directory / "timewait_exporter"
    shutil.copy(PROGRAM, copy)
    copy.chmod(0o755)
    return str(copy)


class Daemon:
    """A running daemon and what it has logged so far."""

    def __init__(self, command: Sequence[str], as_nobody: bool = False, **options) -> None:
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [*launcher(as_nobody), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    @classmethod
    def on_loopback(cls, *flags: str, command: Sequence[str] = (PROGRAM,), **options) -> "Daemon":
        """One that listens on a free port of 127.0.0.1, unless the flags say otherwise."""
        if not any(flag.startswith(("--web.listen-address", "--web.systemd")) for flag in flags):
            flags = ("--web.listen-address=127.0.0.1:0", *flags)
        return cls([*command, *flags], **options)

    def _read_log(self) -> None:
        for line in self._process.stderr:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def raw_log(self) -> list[str]:
        with self._news:
            return list(self._lines)

    def log(self, **fields: str) -> list[Record]:
        """The log's records that have these fields. What is no logfmt comes from elsewhere."""
        records = [parse_logfmt(line) for line in self.raw_log if line.startswith("ts=")]
        return [record for record in records if matches(record, **fields)]

    def wait_for_log(self, count: int = 1, **fields: str) -> list[Record]:
        """The records with these fields, once there are so many."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            complete = not self._reader.is_alive()
            with self._news:
                records = self.log(**fields)
                if len(records) >= count:
                    return records
                if complete or time.monotonic() > deadline:
                    raise AssertionError(f"the log lacks {fields}:\n" + "\n".join(self._lines))
                self._news.wait(0.1)

    @property
    def address(self) -> str:
        """Where it listens; the first address of several."""
        return self.wait_for_log(msg="listening")[0]["address"]

    @property
    def port(self) -> int:
        return client.split_address(self.address)[1]

    def wait_until_ready(self) -> None:
        """Returns when /-/ready says so."""
        reply = self.get("/-/ready")
        if reply.status != 200:
            raise AssertionError(f"not ready after its start: {reply.status} {reply.text}")

    def get(self, target: str = "/metrics", **headers: str) -> client.Reply:
        """One GET; a header's name has underscores for its dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.request(self.address, target, named)

    def scrape(self, target: str = "/metrics") -> Exposition:
        return parse_exposition(self.get(target).text)

    def open_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the kernel shows no VmRSS")

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit status, when it has ended by itself and its log is complete."""
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        self._process.stderr.close()
        return status

    def terminate(self) -> None:
        """Asks it to end and does not wait for it."""
        self._process.terminate()

    def kill(self) -> None:
        """Ends it where it has not ended."""
        if not self._process.stderr.closed:
            self._process.kill()
            self.wait()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ends it. Fails where it does not end in time or not with status 0."""
        if self._process.stderr.closed:
            return
        self._process.send_signal(by)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end within {STOP_SECONDS:g} s of {by.name}") from None
        if status != 0:
            raise AssertionError(f"ended with status {status}:\n" + "\n".join(self.raw_log))
