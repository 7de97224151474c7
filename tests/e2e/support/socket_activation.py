"""Open sockets that are handed over as systemd does: from descriptor 3 on."""

import socket
from collections.abc import Sequence

from support.daemon import PROGRAM

FIRST_DESCRIPTOR = 3


def handing_over(*listeners: socket.socket, command: Sequence[str] = (PROGRAM,)) -> dict:
    """Options of a daemon that gets these sockets. What the command is made of has to keep its process."""
    redirections = " ".join(f"{FIRST_DESCRIPTOR + place}<&{listener.fileno()}"
                            for place, listener in enumerate(listeners))
    script = f'LISTEN_FDS={len(listeners)} LISTEN_PID=$$ exec "$@" {redirections}'
    # Of descriptors above 9 not every sh knows.
    return {"command": ["bash", "-c", script, "bash", *command],
            "pass_fds": [listener.fileno() for listener in listeners]}
