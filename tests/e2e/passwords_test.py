"""Passwords, the rate limit and what else a web configuration file asks of requests, as real clients
see it; and a Prometheus that scrapes with a password over TLS."""

import base64
import contextlib
import select
import socket
import statistics
import subprocess
import time

from support import client
from support.case import EndToEndTest, new_directory, require_tool, run_tests, wait_until
from support.certificates import make_authority
from support.daemon import Daemon
from support.exposition import series
from support.prometheus import Prometheus
from support.sockets import ESTABLISHED, TIME_WAIT, sockets_of_port

# alice has the password "secret", bob "hunter2", by hashes of costs 4 and 8; dave "slow", of cost 12.
ALICE = "  alice: $2y$04$p2mxH8svgtfk0auAVGx1nO8/iXB9vH4uwJl3wtj1cPYyvJJE9MdhG\n"
BOB = "  bob: $2y$08$t.OmkpzBUDlPltEzP.x.nuzNv101Rt6uYovzMgANORu2J8H3hXyeO\n"
DAVE = "  dave: $2y$12$8L1Xl3O4ZR3pr8gCaf6aoeRPuZ/Z5MWsx3Yx8wmOizWOhoigoaK0W\n"
PATHS = ("/metrics", "/", "/-/healthy", "/-/ready", "/-/reload", "/nothing", "*")
SCRAPE_SECONDS = 0.1


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class WebConfigTest(EndToEndTest):
    def start_with(self, text: str, *flags: str) -> Daemon:
        self.file = self.directory() / "web.yml"
        self.file.write_text(text)
        running = Daemon.on_loopback(f"--web.config.file={self.file}", *flags)
        self.addCleanup(running.stop)
        running.wait_for_log(msg="listening")
        return running

    def status(self, running: Daemon, target: str = "/metrics", method: str = "GET",
               **credentials: str) -> int:
        """Of a request by `name=password`, if given."""
        headers = {}
        for name, password in credentials.items():
            headers = basic(name, password)
        return client.request(running.address, target, headers, method=method).status


class Passwords(WebConfigTest):
    def test_curl_is_let_in_with_the_password_alone(self):
        running = self.start_with("basic_auth_users:\n" + ALICE + BOB)
        for user, code in ((None, "401"), ("alice:secret", "200"), ("bob:hunter2", "200"),
                           ("alice:hunter2", "401"), ("carol:secret", "401"), (":", "401")):
            with self.subTest(user):
                done = subprocess.run(
                    [require_tool("curl"), "--silent", "--output", "/dev/null", "--write-out",
                     "%{http_code}", *(["--user", user] if user else []),
                     f"http://{running.address}/metrics"],
                    capture_output=True, text=True, timeout=30)
                self.assertEqual(done.stdout, code)

    def test_every_path_and_method_wants_one(self):
        running = self.start_with("basic_auth_users:\n" + ALICE)
        for target in PATHS:
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                with self.subTest(f"{method} {target}"):
                    self.assertEqual(self.status(running, target, method), 401)
                    self.assertNotEqual(self.status(running, target, method, alice="secret"), 401)

    def test_users_change_without_a_restart(self):
        running = self.start_with("basic_auth_users:\n" + ALICE)
        with contextlib.closing(client.connect(running.address)) as kept:
            def scrape(name: str, password: str) -> int:
                return client.exchange(kept, "GET", "/metrics", basic(name, password)).status
            self.assertEqual(scrape("alice", "secret"), 200)
            self.file.write_text("basic_auth_users:\n" + BOB)
            wait_until(lambda: scrape("bob", "hunter2") == 200, "the new user is known")
            self.assertEqual(scrape("alice", "secret"), 401)
            self.file.write_text("basic_auth_users: [")
            running.wait_for_log(msg="bad web configuration, the last good one stays in force")
            self.assertEqual(scrape("bob", "hunter2"), 200)

    def test_known_and_unknown_names_are_refused_in_the_same_time(self):
        running = self.start_with("basic_auth_users:\n" + BOB)
        seconds: dict[str, list[float]] = {"bob": [], "nobody": []}
        for attempt in range(15):
            for name, durations in seconds.items():
                begin = time.perf_counter()
                self.assertEqual(self.status(running, **{name: f"wrong {attempt}"}), 401)
                durations.append(time.perf_counter() - begin)
        known, unknown = (statistics.median(each) for each in seconds.values())
        self.assertLess(max(known, unknown) / min(known, unknown), 2.0, seconds)

    def test_scrapes_go_on_while_passwords_are_guessed(self):
        running = self.start_with("basic_auth_users:\n" + ALICE + DAVE)
        self.assertEqual(self.status(running, alice="secret"), 200)
        for guess in range(5):
            peer = client.open_socket(running.address)
            self.addCleanup(peer.close)
            field = basic("dave", f"guess {guess}")["Authorization"]
            peer.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {field}\r\n\r\n".encode())
        self.assertLess(min(self.seconds_of_scrape(running) for _ in range(3)), SCRAPE_SECONDS)
        with self.assertRaises(TimeoutError, msg="the last guess is not judged yet"):
            peer.settimeout(0.001)
            peer.recv(1)

    def seconds_of_scrape(self, running: Daemon) -> float:
        begin = time.perf_counter()
        self.assertEqual(self.status(running, alice="secret"), 200)
        return time.perf_counter() - begin

    def test_too_many_guesses_at_once_are_turned_away(self):
        running = self.start_with("basic_auth_users:\n" + DAVE)
        peers: list[socket.socket] = []
        for guess in range(60):
            peers.append(client.open_socket(running.address))
            self.addCleanup(peers[-1].close)
            field = basic("dave", f"guess {guess}")["Authorization"]
            peers[-1].sendall(
                f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {field}\r\n\r\n".encode())
        answered, _, _ = select.select(peers[34:], [], [], 20)
        self.assertTrue(answered, "some of those for whom there is no place are told")
        self.assertIn(b"HTTP/1.1 503 ", client.receive_all(answered[0], until=b"checked\n"))

    def test_clients_that_leave_during_their_check_leave_nothing_behind(self):
        running = self.start_with("basic_auth_users:\n" + ALICE + BOB)
        self.assertEqual(self.status(running, alice="secret"), 200)
        wait_until(lambda: not sockets_of_port(running.port, ESTABLISHED), "nobody is connected")
        descriptors = running.open_descriptors()
        field = basic("bob", "wrong")["Authorization"]
        for _ in range(50):
            with client.open_socket(running.address) as peer:
                peer.sendall(
                    f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {field}\r\n\r\n".encode())
        self.assertEqual(self.status(running, alice="secret"), 200)
        wait_until(lambda: running.open_descriptors() <= descriptors, "all are closed")

    def test_no_password_gets_into_the_log(self):
        running = self.start_with("basic_auth_users:\n" + ALICE, "--log.level=debug")
        self.assertEqual(self.status(running, alice="secret"), 200)
        self.assertEqual(self.status(running, alice="Tr0ub4dor"), 401)
        self.file.write_text("basic_auth_users: { alice: Tr0ub4dor, bob: [Tr0ub4dor] }\n")
        running.wait_for_log(msg="bad web configuration, the last good one stays in force")
        said = "\n".join(running.raw_log)
        for secret in ("secret", "Tr0ub4dor", ALICE.split()[1]):
            self.assertNotIn(secret, said)


class Requests(WebConfigTest):
    def test_every_reply_has_the_configured_headers(self):
        fields = {"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff",
                  "X-Frame-Options": "sameorigin", "X-XSS-Protection": "1; mode=block",
                  "Content-Security-Policy": "default-src 'none'"}
        lines = "".join(f'    {name}: "{value}"\n' for name, value in fields.items())
        running = self.start_with("http_server_config:\n  headers:\n" + lines)
        for target in PATHS:
            reply = client.request(running.address, target)
            self.assertEqual({name: reply.headers[name] for name in fields}, fields, target)

    def test_too_many_requests_get_429_and_the_limit_may_change(self):
        running = self.start_with("rate_limit: { interval: 1h, burst: 5 }\n")
        statuses = [self.status(running, "/-/healthy") for _ in range(7)]
        self.assertEqual(statuses, [200] * 5 + [429] * 2)
        self.file.write_text("# no limit\n")
        wait_until(lambda: self.status(running, "/-/healthy") == 200, "there is no limit any more")

    def test_the_limit_counts_before_passwords_are_looked_at(self):
        running = self.start_with("rate_limit: { interval: 1h, burst: 2 }\n"
                                  "basic_auth_users:\n" + ALICE)
        statuses = [self.status(running), self.status(running, alice="secret"),
                    self.status(running, alice="secret")]
        self.assertEqual(statuses, [401, 200, 429])


class Scraped(EndToEndTest):
    def test_prometheus_scrapes_over_one_connection_and_leaves_no_time_wait(self):
        program = require_tool("prometheus")
        authority = make_authority(new_directory(self.addCleanup))
        file = authority.directory / "web.yml"
        file.write_text(
            "tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt,"
            " client_auth_type: RequireAndVerifyClientCert }\n"
            "basic_auth_users:\n" + ALICE)
        running = Daemon.on_loopback(f"--web.config.file={file}")
        self.addCleanup(running.stop)
        running.wait_for_log(msg="listening")
        prometheus = Prometheus(
            program, new_directory(self.addCleanup), {"tls": running.address},
            "    scheme: https\n"
            "    basic_auth: { username: alice, password: secret }\n"
            f"    tls_config: {{ ca_file: {authority.path('ca.crt')},"
            f" cert_file: {authority.path('client.crt')}, key_file: {authority.path('client.key')} }}\n")
        self.addCleanup(prometheus.stop)
        wait_until(lambda: prometheus.query("up") == {series("up"): 1}, "the target is up")
        connections = sockets_of_port(running.port, ESTABLISHED)
        scrapes = "count_over_time(timewait_exporter_polls_total[1m])"
        wait_until(lambda: sum(prometheus.query(scrapes).values()) >= 3, "three scrapes")
        self.assertEqual(sockets_of_port(running.port, ESTABLISHED), connections)

        prometheus.stop()
        wait_until(lambda: not sockets_of_port(running.port, ESTABLISHED), "it is closed")
        own = {each for each in sockets_of_port(running.port, TIME_WAIT)
               if each.local.endswith(f":{running.port:04X}")}
        self.assertEqual(own, set(), "who closes first has TIME-WAIT, and that is the client")


if __name__ == "__main__":
    run_tests()
