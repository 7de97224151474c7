"""Debian's Chromium without a window, told what to do by the DevTools protocol over a pair of pipes."""

import base64
import contextlib
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 60.0
STOP_SECONDS = 10.0
# The numbers of the pipes are fixed: Chromium reads from 3 and writes to 4. Others of one digit could be one of them,
# and those of two are too much for sh.
_WITH_PIPES = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'
_FIRST_OTHER = 10
# Its own sandbox wants a user that is not root, and a container's /dev/shm may be small.
_FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
          "--hide-scrollbars", "--no-first-run", "--disable-background-networking", "--disable-component-update")


def _open_pipe() -> list[int]:
    """A pipe, the end to read from first."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_OTHER) for end in ends]
    for end in ends:
        os.close(end)
    return high


class Page:
    """The one page of a browser."""

    def __init__(self, program: str, profile: Path) -> None:
        commands, self._commands = _open_pipe()
        self._replies, replies = _open_pipe()
        self._log = profile / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "bash", "-c", _WITH_PIPES, str(commands), str(replies), program,
                 *_FLAGS, f"--user-data-dir={profile}/profile", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(commands, replies))
        os.close(commands), os.close(replies)
        self._unread = b""
        self._last = 0
        self._session = ""
        try:
            target = self._send("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        except BaseException:
            self.close()
            raise

    def _messages(self, deadline: float) -> Iterator[dict]:
        """What the browser says, as it comes; each message ends with a zero byte."""
        while True:
            while b"\0" in self._unread:
                message, _, self._unread = self._unread.partition(b"\0")
                yield json.loads(message)
            if not select.select([self._replies], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise AssertionError("the browser does not answer")
            if not (read := os.read(self._replies, 1 << 20)):
                raise AssertionError("the browser has ended:\n" + self._log.read_text())
            self._unread += read

    def _send(self, method: str, **parameters: Any) -> dict:
        self._last += 1
        session = {"sessionId": self._session} if self._session else {}
        command = {"id": self._last, "method": method, "params": parameters, **session}
        remaining = json.dumps(command).encode() + b"\0"
        while remaining:
            remaining = remaining[os.write(self._commands, remaining):]
        for message in self._messages(time.monotonic() + ANSWER_SECONDS):
            if message.get("id") == self._last:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']['message']}")
                return message["result"]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self._send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def open(self, url: str, width: int, height: int) -> None:
        """Begins to load a page of that size."""
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._send("Page.navigate", url=url)

    def screenshot(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        with contextlib.suppress(AssertionError, OSError):
            self._session = ""
            self._send("Browser.close")
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._commands), os.close(self._replies)
