"""An Alertmanager that notifies nobody, on loopback and for as long as a test."""

import json
from pathlib import Path
from typing import Any

from support import client
from support.server import Server

_CONFIG = """\
route: { receiver: nobody, group_wait: 0s }
receivers: [name: nobody]
"""


class Alertmanager(Server):
    """A running one; `inhibit_rules` is that key of its configuration."""

    def __init__(self, program: str, directory: Path, inhibit_rules: str) -> None:
        (directory / "alertmanager.yml").write_text(_CONFIG + inhibit_rules)
        super().__init__(directory, [program, f"--config.file={directory}/alertmanager.yml",
                                     f"--storage.path={directory}/alertmanager",
                                     "--cluster.listen-address="])

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire now, inhibited ones as well."""
        return json.loads(client.request(self.address, "/api/v2/alerts").text)
