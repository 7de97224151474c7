"""A server of the Prometheus family on loopback: it logs the port that it has chosen."""

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from support import client
from support.daemon import launcher

ANY_PORT = "127.0.0.1:0"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
_LISTENING = re.compile(r'msg="Listening on".* address=(?P<address>\S+)(\s|$)')


class Server:
    """A running one, which is ready; its log is in the directory."""

    def __init__(self, directory: Path, command: Sequence[str],
                 listen_address: str = ANY_PORT) -> None:
        self._name = Path(command[0]).name
        self._log_file = directory / f"{self._name}.log"
        with self._log_file.open("w") as log:
            self._process = subprocess.Popen(
                [*launcher(), *command, f"--web.listen-address={listen_address}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self._name} does not start:\n" + self._log())
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        """From here on `address` is the one that it has chosen."""
        listening = _LISTENING.search(self._log())
        if listening is None:
            return False
        self.address = listening["address"]
        return client.request(self.address, "/-/ready").status == 200

    def _log(self) -> str:
        return self._log_file.read_text()

    def stop(self) -> None:
        """Ends it where it has not ended."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
