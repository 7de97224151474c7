"""What many clients at once, and slow ones, do to the others and to the daemon."""

import contextlib
import http.client
import os
import resource
import socket
import statistics
import threading
import time
import unittest
from collections.abc import Callable

from support import client
from support.case import EndToEndTest, run_tests, wait_until
from support.daemon import Daemon
from support.sockets import ESTABLISHED, TIME_WAIT, sockets_of_port

CONNECTIONS = 1000
DRIPS = 50
DEFAULT_MAX_CONNECTIONS = 512
RUDE_CLIENTS = 100
PIPELINED = 100
GROWTH_BYTES = 2 << 20
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
GET_HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
HEADER_SECONDS = 5.0  # that a client has for a whole header

SCRAPE_UNDER_LOAD_SECONDS = 0.1
SCRAPE_AT_REST_SECONDS = 0.002
RESIDENT_AT_REST_BYTES = 16 << 20

# Set by CMakeLists.txt: speed and memory are those of the program as it is packaged.
IS_OPTIMISED = os.environ.get("TIMEWAIT_OPTIMISED") == "1"
SANITIZERS = os.environ.get("TIMEWAIT_SANITIZE", "").split(",")


def median_scrape_seconds(connection: http.client.HTTPConnection, count: int) -> float:
    """The median time of so many scrapes, one after the other."""
    durations = []
    for _ in range(count):
        start = time.perf_counter()
        reply = client.exchange(connection, "GET", "/metrics")
        durations.append(time.perf_counter() - start)
        if reply.status != 200:
            raise AssertionError(f"a scrape under load got {reply.status}")
    return statistics.median(durations)


def connect(address: str) -> socket.socket:
    """A connection that never blocks its user."""
    peer = client.open_socket(address)
    peer.setblocking(False)
    return peer


def is_closed(peer: socket.socket) -> bool:
    """Whether the server has closed the connection, on which it never sends anything."""
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


class Drips:
    """Clients that send their request a byte at a time, and never to its end."""

    def __init__(self, address: str, count: int) -> None:
        self.peers = [connect(address) for _ in range(count)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    def _drip(self) -> None:
        for peer in self.peers:
            peer.sendall(b"GET / HTTP/1.1\r\nX: ")
        while not self._stop.wait(0.05):
            for peer in self.peers:
                with contextlib.suppress(OSError):
                    peer.send(b"x")

    def open_count(self) -> int:
        return sum(not is_closed(peer) for peer in self.peers)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for peer in self.peers:
            peer.close()


class LoadTest(EndToEndTest):
    def setUp(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < 4 * CONNECTIONS:
            self.skipTest(f"the process may have {most} descriptors, {4 * CONNECTIONS} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CONNECTIONS, most))

    def connect_idle(self, running: Daemon) -> list[socket.socket]:
        peers = []
        for _ in range(CONNECTIONS):
            peers.append(connect(running.address))
            self.addCleanup(peers[-1].close)
        return peers

    def drip(self, running: Daemon) -> Drips:
        drips = Drips(running.address, DRIPS)
        self.addCleanup(drips.close)
        return drips

    def assert_answers_in_time(self, running: Daemon) -> None:
        with contextlib.closing(client.connect(running.address)) as connection:
            seconds = median_scrape_seconds(connection, 21)
        self.assertLess(seconds, SCRAPE_UNDER_LOAD_SECONDS)

    def assert_descriptors_go_back_to(self, running: Daemon, count: int) -> None:
        wait_until(lambda: running.open_descriptors() <= count,
                   f"the daemon is back at {count} descriptors")


class ManyClients(LoadTest):
    def test_idle_and_slow_clients_within_the_limit_stay_and_disturb_nobody(self):
        running = self.start(config=f"web: {{ max_connections: {2 * CONNECTIONS} }}\n")
        descriptors = running.open_descriptors()
        idle = self.connect_idle(running)
        drips = self.drip(running)
        self.assert_answers_in_time(running)
        self.assertGreaterEqual(running.open_descriptors(), descriptors + CONNECTIONS)
        self.assertEqual(sum(map(is_closed, idle)), 0, "clients were closed within the limit")

        for peer in idle:
            peer.close()
        drips.close()
        self.assert_descriptors_go_back_to(running, descriptors)

    def test_beyond_the_limit_the_longest_idle_clients_make_room(self):
        running = self.start()
        descriptors = running.open_descriptors()
        idle = self.connect_idle(running)
        self.assert_answers_in_time(running)
        self.assertLessEqual(running.open_descriptors(), descriptors + DEFAULT_MAX_CONNECTIONS)
        wait_until(
            lambda: sum(map(is_closed, idle)) >= CONNECTIONS - DEFAULT_MAX_CONNECTIONS,
            "the clients too many are closed")
        self.assertTrue(is_closed(idle[0]), "the first client was idle longest")
        self.assertFalse(is_closed(idle[-1]), "the last client was idle least")

    def test_a_client_that_drips_is_cut_off_in_the_end(self):
        running = self.start()
        descriptors = running.open_descriptors()
        start = time.monotonic()
        drips = self.drip(running)
        self.assertEqual(drips.open_count(), DRIPS)
        wait_until(lambda: drips.open_count() == 0, "every slow client is cut off")
        self.assertGreater(time.monotonic() - start, HEADER_SECONDS - 0.5)
        self.assert_descriptors_go_back_to(running, descriptors)

    def test_clients_that_go_away_in_the_middle_leave_nothing_behind(self):
        running = self.start()
        descriptors = running.open_descriptors()
        for sent in (b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
            for _ in range(100):
                with client.open_socket(running.address) as peer:
                    peer.sendall(sent)
        self.assert_answers_in_time(running)
        self.assert_descriptors_go_back_to(running, descriptors)

    @unittest.skipIf("undefined" in SANITIZERS,
                     "UBSan opens a pipe to look at memory and takes the lack of one for a fault")
    def test_more_clients_than_descriptors_do_not_end_the_daemon(self):
        running = self.start(config="web: { max_connections: 4096 }\n")
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (100, 100))
        peers = self.connect_idle(running)
        self.assert_answers_in_time(running)
        for peer in peers:
            peer.close()

    def test_a_limit_beyond_the_descriptors_is_lowered_and_said_so(self):
        running = self.start(config="web: { max_connections: 65536 }\n")
        self.assertEqual(len(running.wait_for_log(
            msg="fewer connections than web.max_connections, for lack of file descriptors")), 1)


class RudeClients(LoadTest):
    """Clients that keep to no custom, many at once. Each time a scrape is answered meanwhile, and
    afterwards the daemon is as small as before."""

    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.start()
        self.at_rest = self.daemon.open_descriptors()
        self.peers: list[socket.socket] = []
        # What the first clients make it allocate stays.
        for peer in [self.connect() for _ in range(RUDE_CLIENTS)]:
            peer.sendall(GET)
        self.assert_answers_in_time(self.daemon)
        self.close_peers()
        wait_until(lambda: self.daemon.open_descriptors() <= self.at_rest, "the daemon is at rest")
        self.resident = self.daemon.resident_bytes()

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        peer = socket.socket()
        peer.settimeout(client.TIMEOUT_SECONDS)
        if receive_buffer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.connect(client.split_address(self.daemon.address))
        self.peers.append(peer)
        self.addCleanup(peer.close)
        return peer

    def close_peers(self) -> None:
        for peer in self.peers:
            peer.close()

    def assert_disturbs_nobody(self, send: Callable[[socket.socket], None],
                               receive_buffer: int | None = None) -> list[socket.socket]:
        peers = [self.connect(receive_buffer) for _ in range(RUDE_CLIENTS)]
        for peer in peers:
            send(peer)
        self.assert_answers_in_time(self.daemon)
        return peers

    def assert_leaves_nothing(self) -> None:
        self.close_peers()
        self.assert_descriptors_go_back_to(self.daemon, self.at_rest)
        if IS_OPTIMISED:
            self.assertLess(self.daemon.resident_bytes(), self.resident + GROWTH_BYTES)

    def assert_each_gets(self, status: int, data: bytes) -> None:
        peers = self.assert_disturbs_nobody(lambda peer: peer.sendall(data))
        for peer in peers:
            reply = client.receive_all(peer)
            self.assertTrue(reply.startswith(f"HTTP/1.1 {status} ".encode()), reply[:200])
        self.assert_leaves_nothing()

    def test_a_hundred_requests_in_one_write(self):
        last = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        peers = self.assert_disturbs_nobody(
            lambda peer: peer.sendall(GET_HEALTHY * (PIPELINED - 1) + last))
        for peer in peers:
            self.assertEqual(client.receive_all(peer).count(b"HTTP/1.1 200 OK"), PIPELINED)
        self.assert_leaves_nothing()

    def test_headers_that_are_too_large(self):
        self.assert_each_gets(431, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n")

    def test_a_url_for_a_target(self):
        self.assert_each_gets(
            200, b"GET http://x:1/-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    def test_what_is_no_request(self):
        self.assert_each_gets(400, b"\x16\x03\x01\x02\0\r\n\r\n")

    def test_large_replies_that_nobody_reads(self):
        # Their replies are a megabyte and more, for which nobody has room.
        self.assert_disturbs_nobody(lambda peer: peer.sendall(GET * PIPELINED), receive_buffer=4096)
        self.assert_leaves_nothing()

    def test_a_half_that_is_closed_before_the_reply(self):
        def ask_and_close(peer: socket.socket) -> None:
            peer.sendall(GET_HEALTHY)
            peer.shutdown(socket.SHUT_WR)

        for peer in self.assert_disturbs_nobody(ask_and_close):
            self.assertTrue(client.receive_all(peer).endswith(b"healthy\n"))
        self.assert_leaves_nothing()

    def test_a_half_that_is_closed_before_the_request(self):
        def begin_and_close(peer: socket.socket) -> None:
            peer.sendall(b"GET /metrics HT")
            peer.shutdown(socket.SHUT_WR)

        for peer in self.assert_disturbs_nobody(begin_and_close):
            self.assertEqual(client.receive_all(peer), b"")
        self.assert_leaves_nothing()


class KeepAlive(EndToEndTest):
    def test_scrapes_over_one_connection_leave_no_time_wait_on_the_daemons_side(self):
        running = self.start()
        with contextlib.closing(client.connect(running.address)) as connection:
            for _ in range(20):
                self.assert_status(client.exchange(connection, "GET", "/metrics"), 200)
            own = sockets_of_port(connection.sock.getsockname()[1], ESTABLISHED)
            self.assertEqual(len(own), 2, "the two ends of one connection")
        wait_until(lambda: not own & sockets_of_port(running.port, ESTABLISHED),
                   "the connection is closed")
        # Who closes first waits, and that was the client each time.
        left = sockets_of_port(running.port, TIME_WAIT)
        self.assertEqual([each for each in left if each.local_port == running.port], [])


@unittest.skipUnless(IS_OPTIMISED, "speed and memory are those of an optimised build")
class Frugality(EndToEndTest):
    def test_a_scrape_at_rest_takes_next_to_no_time(self):
        running = self.start()
        with contextlib.closing(client.connect(running.address)) as connection:
            self.assertLess(median_scrape_seconds(connection, 500), SCRAPE_AT_REST_SECONDS)

    def test_the_daemon_at_rest_takes_little_memory(self):
        running = self.start(config="interval: 50ms\n")
        wait_until(lambda: (running.scrape().value("timewait_exporter_polls_total") or 0) >= 20,
                   "the daemon has polled 20 times")
        self.assertLess(running.resident_bytes(), RESIDENT_AT_REST_BYTES)


if __name__ == "__main__":
    run_tests()
