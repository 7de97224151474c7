"""Connections that come and go on loopback, as fast as a process can make them.

Usage: churn.py ADDRESS PORT: both ends of each. Prints how many there have been, each second."""

import contextlib
import select
import socket
import struct
import sys
import time

_RESET = struct.pack("ii", 1, 0)


def connect_and_close(server: socket.socket, number: int) -> None:
    """Every other one leaves a TIME-WAIT at the client, the others at the server; every tenth none."""
    with socket.socket() as client:
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        if number % 10 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        first, second = (client, accepted) if number % 2 else (accepted, client)
        first.close()
        second.close()


def main(address: str, port: int) -> None:
    server = socket.create_server((address, port), backlog=1024)
    number = 0
    told = time.monotonic()
    while True:
        with contextlib.suppress(OSError):  # no port is left: the daemon counts that
            connect_and_close(server, number)
        number += 1
        if time.monotonic() - told < 1:
            continue
        told = time.monotonic()
        print(number, flush=True)
        while select.select([server], [], [], 0)[0]:
            server.accept()[0].close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
