"""Debian's Chromium without a window, told what to do by the DevTools protocol over two pipes."""

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from support.daemon import launcher

SECONDS = 60.0


# Its own sandbox wants a user that is not root, and a container's /dev/shm may be small.
FLAGS = ("--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
         "--hide-scrollbars", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")


class Browser:
    """One page, with the scripts that it has or without; `evaluate` is no script of the page."""

    def __init__(self, program: str, home: Path, cleanup: Callable, runs_scripts: bool) -> None:
        commands, self._commands = os.pipe()
        self._replies, replies = os.pipe()
        # Out of the way of 3 and 4, which are the protocol's.
        commands, replies = (fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (commands, replies))
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._received = b""
        self._next_id = 0
        self._session: str | None = None
        self.events: list[dict] = []
        self._process = subprocess.Popen(
            [*launcher(), program, *FLAGS, f"--user-data-dir={home}", "about:blank"],
            pass_fds=(3, 4), preexec_fn=lambda: (os.dup2(commands, 3), os.dup2(replies, 4)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(home)})
        os.close(commands)
        os.close(replies)
        cleanup(self._end)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Audits", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not runs_scripts)

    def call(self, method: str, **parameters) -> dict:
        self._next_id += 1
        message = {"id": self._next_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        reply = self._wait_for(lambda each: each.get("id") == message["id"], method)
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']}")
        return reply["result"]

    def _wait_for(self, is_it: Callable[[dict], bool], what: str) -> dict:
        deadline = time.monotonic() + SECONDS
        while True:
            while b"\0" in self._received:
                text, self._received = self._received.split(b"\0", 1)
                message = json.loads(text)
                if "method" in message:
                    self.events.append(message)
                if is_it(message):
                    return message
            if not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise AssertionError(f"the browser has not answered: {what}")
            chunk = os.read(self._replies, 1 << 20)
            if not chunk:
                raise AssertionError(f"the browser has ended: {what}")
            self._received += chunk

    def wait_for_event(self, method: str) -> None:
        """The next one."""
        self._wait_for(lambda each: each.get("method") == method, method)

    def show(self, width: int, height: int, scheme: str, is_mobile: bool = False) -> None:
        """Another screen, from the next page on."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=is_mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for_event("Page.loadEventFired")

    def evaluate(self, expression: str):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def requested(self) -> list[str]:
        """The URLs that have been fetched for this page, in their order."""
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser has to say against the page: broken policies and all else that it logs."""
        return [json.dumps(event["params"]) for event in self.events
                if event["method"] in ("Log.entryAdded", "Audits.issueAdded", "Runtime.exceptionThrown")]

    def screenshot(self, height: float | None = None) -> bytes:
        """A PNG of the page, of its whole height unless told."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(picture["data"])

    def _end(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._commands)
        os.close(self._replies)
