"""HTTP over TCP and Unix sockets, with replies that tests can compare."""

import http.client
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def media_type(self) -> str:
        return self.headers.get_content_type()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:1` or `[::1]:1`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def connect(address: str) -> http.client.HTTPConnection:
    """A connection to an address in the form that the daemon logs."""
    if address.startswith("unix:"):
        return UnixConnection(address.removeprefix("unix:"))
    return http.client.HTTPConnection(*split_address(address), timeout=TIMEOUT_SECONDS)


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """One request and its reply. Unlike http.client's request(), adds no Accept-Encoding."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return Reply(response.status, response.headers, response.read())


def request(
    address: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes | None = None,
) -> Reply:
    """One request over a connection of its own."""
    connection = connect(address)
    try:
        return exchange(connection, method, target, headers, body)
    finally:
        connection.close()


def open_socket(address: str) -> socket.socket:
    """A connected TCP socket, for what http.client would not send."""
    return socket.create_connection(split_address(address), timeout=TIMEOUT_SECONDS)


def receive_all(peer: socket.socket, until: bytes = b"") -> bytes:
    """What the peer sends until it closes, or until these bytes end it."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    received = b""
    while not (until and received.endswith(until)):
        peer.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = peer.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        received += chunk
    return received
