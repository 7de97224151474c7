"""Connections of a host that is about to get into trouble, inside a network namespace of its own.

Usage: traffic.py ROLE SECONDS. ROLE is one of ROLES; the time is that in which the trouble builds up, from then on
it stays as it is until the process is ended."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable

IP_BIND_ADDRESS_NO_PORT = 24
HERE = "192.0.2.10"
# Ports below the ephemeral range, but for the one that ought not to be in it.
DATABASE = ("192.0.2.20", 5432)
CACHE = ("192.0.2.21", 6379)
SEARCH = ("192.0.2.22", 9200)
WEB = (HERE, 443)
MISPLACED = (HERE, 33000)

started = time.monotonic()
held: list[socket.socket] = []  # never closed


def serve(address: tuple[str, int], closes_first: bool) -> None:
    """Accepts, and closes each connection at once or when the client has."""
    listener = socket.create_server(address, backlog=1024)

    def finish(accepted: socket.socket) -> None:
        with accepted, contextlib.suppress(OSError):
            if not closes_first:
                accepted.recv(1)

    def accept() -> None:
        while True:
            accepted, _ = listener.accept()
            if closes_first:
                finish(accepted)
            else:
                threading.Thread(target=finish, args=(accepted,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def connect(destination: tuple[str, int], source: str = HERE, takes_port: bool = False) -> socket.socket:
    """A connection from the source, whose port connect() chooses unless bind() has to."""
    client = socket.socket()
    try:
        if not takes_port:
            client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        client.bind((source, 0))
        client.connect(destination)
    except OSError:
        client.close()
        raise
    return client


def close_first(client: socket.socket) -> None:
    client.close()


def close_after_server(client: socket.socket) -> None:
    client.recv(1)
    client.close()


def never_close(client: socket.socket) -> None:
    held.append(client)


def repeat(rate: Callable[[], float], action: Callable[[], None]) -> None:
    """So many times a second, in a thread; what fails for want of a port is tried again at the next turn."""
    def run() -> None:
        while True:
            with contextlib.suppress(OSError):
                action()
            time.sleep(1 / rate())

    threading.Thread(target=run, daemon=True).start()


def rising(low: float, high: float, seconds: float) -> Callable[[], float]:
    """A rate that rises in the middle half of the time."""
    def rate() -> float:
        done = (time.monotonic() - started) / seconds
        return low + (high - low) * min(max(2 * done - 0.5, 0), 1)

    return rate


def steady(rate: float) -> Callable[[], float]:
    return lambda: rate


def run_out(seconds: float) -> None:
    """Towards the database no port is left; another program forgets to close."""
    serve(DATABASE, closes_first=False)
    serve(CACHE, closes_first=False)
    serve(SEARCH, closes_first=True)
    for _ in range(40):
        never_close(connect(CACHE))
    repeat(rising(6, 30, seconds), lambda: close_first(connect(DATABASE)))
    repeat(rising(4, 8, seconds), lambda: close_first(connect(CACHE)))
    repeat(steady(0.7), lambda: never_close(connect(SEARCH)))


def be_busy(seconds: float) -> None:
    """A server with clients of three addresses, and a program that binds to its address and port 0."""
    serve(WEB, closes_first=True)
    serve(MISPLACED, closes_first=False)
    for client, rate in (("192.0.2.30", 6), ("192.0.2.31", 3), ("192.0.2.32", 1)):
        repeat(rising(rate / 2, rate, seconds), lambda client=client: close_after_server(connect(WEB, client)))
    repeat(steady(2), lambda: close_first(connect(MISPLACED, takes_port=True)))


def reuse(seconds: float) -> None:
    """As many connections as in run_out(), but tcp_tw_reuse is 1."""
    serve(DATABASE, closes_first=False)
    repeat(rising(10, 30, seconds), lambda: close_first(connect(DATABASE)))


ROLES = {"run_out": run_out, "be_busy": be_busy, "reuse": reuse}

if __name__ == "__main__":
    ROLES[sys.argv[1]](float(sys.argv[2]))
    print("started", flush=True)
    threading.Event().wait()
