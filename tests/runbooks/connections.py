"""TCP connections in the state in which a situation wants them; both ends are the calling process'."""

import errno
import socket
import struct
from collections.abc import Iterator

Connection = tuple[socket.socket, socket.socket]
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class NoPort(Exception):
    """connect() or bind() found no port."""


def listen(address: str, port: int) -> socket.socket:
    return socket.create_server((address, port), backlog=4096)


def connect(listener: socket.socket, source: str | None = None) -> Connection:
    """The end that connects and the one that is accepted. `source` is bound to with port 0."""
    client = socket.socket()
    try:
        if source:
            client.bind((source, 0))
        client.connect(listener.getsockname())
    except OSError as error:
        client.close()
        if error.errno in (errno.EADDRNOTAVAIL, errno.EADDRINUSE):
            raise NoPort from error
        raise
    return client, listener.accept()[0]


def close(first: socket.socket, second: socket.socket) -> None:
    """Leaves the first one in TIME-WAIT."""
    first.close()
    second.close()


def reset(client: socket.socket, accepted: socket.socket) -> None:
    """Closes with SO_LINGER and zero seconds."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    client.close()
    accepted.close()


def leave_time_wait(listener: socket.socket, count: int, source: str | None = None) -> None:
    """So many sockets in TIME-WAIT on the side that connects."""
    for _ in range(count):
        close(*connect(listener, source))


def leave_time_wait_of_server(listener: socket.socket, count: int, source: str) -> None:
    """So many in TIME-WAIT on the side that accepts."""
    for _ in range(count):
        close(*reversed(connect(listener, source)))


def leave_close_wait(listener: socket.socket, count: int) -> list[socket.socket]:
    """So many that the peer has closed and this side has not."""
    return [_close_one(accepted, client) for client, accepted in _connections(listener, count)]


def leave_fin_wait2(listener: socket.socket, count: int) -> list[socket.socket]:
    """So many that this side has closed and the peer has not."""
    return [_close_one(client, accepted) for client, accepted in _connections(listener, count)]


def _connections(listener: socket.socket, count: int) -> Iterator[Connection]:
    return (connect(listener) for _ in range(count))


def _close_one(closed: socket.socket, kept: socket.socket) -> socket.socket:
    closed.close()
    return kept


def open_one(address: str, port: int | str) -> None:
    """A connection to whoever listens there."""
    socket.create_connection((address, int(port)), timeout=10).close()


def connect_from(listener: socket.socket, address: str, port: int) -> Connection:
    """A connection from a port that is given."""
    client = socket.socket()
    client.bind((address, port))
    client.connect(listener.getsockname())
    return client, listener.accept()[0]


def try_to_connect(listener: socket.socket) -> None:
    """One more connection, which is closed at once, if there is a port for it."""
    try:
        close(*connect(listener))
    except NoPort:
        pass
