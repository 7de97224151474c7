"""TLS as real clients see it: curl, openssl s_client, Python's ssl and a Prometheus."""

import contextlib
import http.client
import os
import re
import socket
import ssl
import subprocess
import time
import unittest

from support import client
from support.case import EndToEndTest, new_directory, require_tool, run_tests, wait_until
from support.certificates import CLIENT_NAMES, SERVER_NAMES, make_authority
from support.daemon import Daemon
from support.exposition import parse_exposition
from support.sockets import CLOSE_WAIT, ESTABLISHED, TIME_WAIT, Socket, sockets_of_port

HALF_OPEN = 100
MIB = 1 << 20
HANDSHAKE_SECONDS = 5.0
SCRAPE_UNDER_LOAD_SECONDS = 0.1

CERTIFICATE = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


class TlsTest(EndToEndTest):
    """One set of certificates for the tests of a class, and a daemon for each test."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.certificates = make_authority(new_directory(cls.addClassCleanup))
        cls.ca = cls.certificates.path("ca.crt")

    def start_tls(self, options: str = "", *flags: str, **more) -> Daemon:
        """A daemon with these lines below `tls_server_config`."""
        self.file = self.certificates.directory / "web.yml"
        self.file.write_text(CERTIFICATE + "".join(f"  {line}\n" for line in options.splitlines()))
        running = Daemon.on_loopback(f"--web.config.file={self.file}", *flags, **more)
        self.addCleanup(running.stop)
        running.wait_for_log(msg="listening")
        return running

    def context(self, certificate: str = "") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if certificate:
            context.load_cert_chain(self.certificates.path(f"{certificate}.crt"),
                                    self.certificates.path(f"{certificate}.key"))
        return context

    def connect(self, running: Daemon, context: ssl.SSLContext | None = None
                ) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*client.split_address(running.address), timeout=10,
                                           context=context or self.context())

    def scrape(self, running: Daemon, context: ssl.SSLContext | None = None) -> client.Reply:
        with contextlib.closing(self.connect(running, context)) as connection:
            return client.exchange(connection, "GET", "/metrics")

    def descriptors_at_rest(self, running: Daemon) -> int:
        """How many it has open once it serves and nobody is connected."""
        self.assert_status(self.scrape(running), 200)
        wait_until(lambda: not sockets_of_port(running.port, ESTABLISHED), "nobody is connected")
        return running.open_descriptors()

    def accepts(self, running: Daemon, certificate: str) -> bool:
        """Whether a client with this certificate, or none where it is empty, is let in."""
        try:
            return self.scrape(running, self.context(certificate)).status == 200
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return False

    def accepted(self, running: Daemon) -> list[str]:
        names = ["", "client", "stranger"]
        return [name or "none" for name in names if self.accepts(running, name)]


class Handshakes(TlsTest):
    def handshake(self, running: Daemon, *options: str) -> str:
        """What openssl s_client says of a handshake with these options."""
        done = subprocess.run(
            [require_tool("openssl"), "s_client", "-connect", running.address, "-CAfile", self.ca,
             *options], input="", capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    def agreed(self, running: Daemon, *options: str) -> str:
        """The version and the suite; empty where the two do not come to an agreement."""
        said = self.handshake(running, *options)
        suite = re.search(r"Cipher is (\S+)", said)
        version = re.search(r"Protocol *: (\S+)|New, (TLSv1\.3), ", said)
        if suite is None or version is None or suite[1] == "(NONE)":
            return ""
        return f"{version[1] or version[2]} {suite[1]}"

    def test_curl_gets_metrics_over_both_versions(self):
        running = self.start_tls()
        for version in ("--tls-max 1.2", "--tlsv1.3"):
            with self.subTest(version):
                done = subprocess.run(
                    [require_tool("curl"), "--silent", "--show-error", "--fail", "--cacert", self.ca,
                     *version.split(), f"https://{running.address}/metrics"],
                    capture_output=True, text=True, timeout=30)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                parse_exposition(done.stdout)

    def test_the_default_is_tls_1_2_and_1_3_with_forward_secrecy_and_aead(self):
        running = self.start_tls()
        self.assertEqual(self.agreed(running), "TLSv1.3 TLS_AES_128_GCM_SHA256")
        self.assertEqual(self.agreed(running, "-tls1_2"), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256")
        old = ("-cipher", "ALL:@SECLEVEL=0")
        self.assertEqual(self.agreed(running, "-tls1_1", *old), "")
        self.assertEqual(self.agreed(running, "-tls1", *old), "")
        self.assertEqual(self.agreed(running, "-tls1_2", "-cipher", "AES128-GCM-SHA256"), "")
        self.assertEqual(self.agreed(running, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), "")

    def test_versions_are_limited_as_configured(self):
        oldest = self.start_tls("max_version: TLS12")
        self.assertTrue(self.agreed(oldest).startswith("TLSv1.2 "))
        self.assertEqual(self.agreed(oldest, "-tls1_3"), "")
        newest = self.start_tls("min_version: TLS13")
        self.assertTrue(self.agreed(newest).startswith("TLSv1.3 "))
        self.assertEqual(self.agreed(newest, "-tls1_2"), "")

    def test_suites_are_limited_as_configured(self):
        running = self.start_tls("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,"
                                 " TLS_CHACHA20_POLY1305_SHA256]")
        self.assertEqual(self.agreed(running, "-tls1_2"), "TLSv1.2 ECDHE-ECDSA-AES128-SHA")
        self.assertEqual(self.agreed(running), "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256")
        self.assertEqual(self.agreed(running, "-ciphersuites", "TLS_AES_128_GCM_SHA256"), "")

    def test_whose_preference_counts(self):
        suites = "cipher_suites: [TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]\n"
        clients = ("-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384")
        servers = self.start_tls(suites)
        self.assertEqual(self.agreed(servers, *clients), "TLSv1.3 TLS_AES_256_GCM_SHA384")
        theirs = self.start_tls(suites + "prefer_server_cipher_suites: false")
        self.assertEqual(self.agreed(theirs, *clients), "TLSv1.3 TLS_AES_128_GCM_SHA256")

    def test_curves_are_limited_as_configured(self):
        running = self.start_tls("curve_preferences: [CurveP384]")
        self.assertIn("Server Temp Key: ECDH, secp384r1",
                      self.handshake(running, "-groups", "X25519:P-384"))
        self.assertEqual(self.agreed(running, "-groups", "X25519:P-256"), "")

    def test_sessions_are_not_resumed(self):
        running = self.start_tls()
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                said = self.handshake(running, version, "-reconnect")
                self.assertIn("New, ", said)
                self.assertNotIn("Reused, ", said)

    def test_a_peer_that_closes_first_keeps_time_wait_to_itself(self):
        running = self.start_tls()
        for used in (False, True):
            with self.subTest(used=used):
                peer = self.context().wrap_socket(client.open_socket(running.address),
                                                  server_hostname="localhost")
                if used:
                    peer.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertIn(b"200 OK", peer.recv(4096))
                plain = peer.unwrap()  # close_notify both ways, and no FIN yet
                self.assertEqual(len(self.own_sockets(running, ESTABLISHED)), 1)
                plain.close()
                wait_until(lambda: not self.own_sockets(running, ESTABLISHED), "the FIN has come")
                wait_until(lambda: not self.own_sockets(running, CLOSE_WAIT), "it has closed, too")
                self.assertEqual(self.own_sockets(running, TIME_WAIT), set())

    @staticmethod
    def own_sockets(running: Daemon, state: str) -> set[Socket]:
        """Those of the daemon's end."""
        found = sockets_of_port(running.port, state)
        return {each for each in found if each.local_port == running.port}

    def test_plain_http_gets_nothing(self):
        running = self.start_tls()
        with client.open_socket(running.address) as peer:
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", client.receive_all(peer))

    def test_a_reply_before_the_close_arrives_whole(self):
        running = self.start_tls()
        whole = len(self.scrape(running).body)
        with contextlib.closing(self.connect(running)) as connection:
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            begin = time.monotonic()
            self.assertGreater(len(connection.getresponse().read()), whole // 2)
            self.assertLess(time.monotonic() - begin, 2.0)

    def test_the_close_does_not_wait_for_a_peer_that_says_nothing(self):
        running = self.start_tls()
        descriptors = self.descriptors_at_rest(running)
        connection = self.connect(running)
        self.addCleanup(connection.close)
        connection.request("GET", "/-/healthy", headers={"Connection": "close"})
        self.assertGreater(running.open_descriptors(), descriptors)
        wait_until(lambda: running.open_descriptors() <= descriptors, "the connection is closed")


class ClientCertificates(TlsTest):
    VERIFIED = "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: ca.crt\n"

    def test_who_is_let_in_by_each_type(self):
        for options, expected in (
                ("client_auth_type: NoClientCert", ["none", "client", "stranger"]),
                ("client_auth_type: RequestClientCert", ["none", "client", "stranger"]),
                ("client_auth_type: RequireAnyClientCert", ["client", "stranger"]),
                ("client_auth_type: RequireClientCert", ["client", "stranger"]),
                ("client_auth_type: VerifyClientCertIfGiven\nclient_ca_file: ca.crt",
                 ["none", "client"]),
                (self.VERIFIED, ["client"])):
            with self.subTest(options):
                self.assertEqual(self.accepted(self.start_tls(options)), expected)

    def test_tls_1_2_asks_for_them_too(self):
        self.assertEqual(self.accepted(self.start_tls(self.VERIFIED + "max_version: TLS12")),
                         ["client"])

    def test_a_certificate_that_is_for_servers_only_is_refused(self):
        self.certificates.sign("other-server", CLIENT_NAMES, usage="serverAuth")
        running = self.start_tls(self.VERIFIED)
        self.assertFalse(self.accepts(running, "other-server"))
        self.assertTrue(self.accepts(running, "client"))

    def test_only_listed_names_are_let_in(self):
        self.certificates.sign("nameless", "DNS:other.example")
        for name in ("client.example", "client@example", "spiffe://example/client", "192.0.2.1"):
            with self.subTest(name):
                running = self.start_tls(self.VERIFIED + f"client_allowed_sans: [x, '{name}']")
                self.assertTrue(self.accepts(running, "client"))
                self.assertFalse(self.accepts(running, "nameless"))

    def test_names_are_compared_whole_and_of_the_alternative_ones_alone(self):
        # `client` is the subject's common name.
        for name in ("client", "example", "*.example", "CLIENT.EXAMPLE", "192.0.2"):
            with self.subTest(name):
                running = self.start_tls(self.VERIFIED + f"client_allowed_sans: ['{name}']")
                self.assertFalse(self.accepts(running, "client"))

    def test_names_do_not_replace_the_verification(self):
        running = self.start_tls(self.VERIFIED + "client_allowed_sans: [client.example]")
        self.assertFalse(self.accepts(running, "stranger"))


class Changes(TlsTest):
    """What happens without a restart."""

    def served_certificate(self, running: Daemon) -> bytes:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(client.split_address(running.address), timeout=10) as plain:
            with context.wrap_socket(plain) as peer:
                return peer.getpeercert(binary_form=True)

    def test_a_renewed_certificate_is_served_and_open_connections_go_on(self):
        running = self.start_tls()
        before = self.served_certificate(running)
        with contextlib.closing(self.connect(running)) as kept:
            self.assert_status(client.exchange(kept, "GET", "/metrics"), 200)
            self.certificates.sign("server", SERVER_NAMES)
            wait_until(lambda: self.served_certificate(running) != before,
                       "the new certificate is served")
            self.assert_status(client.exchange(kept, "GET", "/metrics"), 200)
        self.assert_status(self.scrape(running), 200)

    def test_a_bad_certificate_leaves_the_last_good_one_and_is_logged_once(self):
        self.addCleanup(self.certificates.sign, "server", SERVER_NAMES)
        running = self.start_tls()
        before = self.served_certificate(running)
        (self.certificates.directory / "server.crt").write_text("nothing")
        message = "bad web configuration, the last good one stays in force"
        running.wait_for_log(msg=message)
        self.assertEqual(self.served_certificate(running), before)
        self.certificates.sign("server", SERVER_NAMES)
        wait_until(lambda: self.served_certificate(running) != before, "the next one is served")
        told = [record["problem"] for record in running.log(msg=message)]
        of_certificate = [each for each in told if each.startswith(f"{self.file}:2:14: ")]
        self.assertEqual(len(of_certificate), 1, told)

    def test_the_authority_of_clients_may_change(self):
        self.use_ca("ca")
        running = self.start_tls("client_auth_type: RequireAndVerifyClientCert\n"
                                 "client_ca_file: clients.crt")
        self.assertEqual(self.accepted(running), ["client"])
        self.use_ca("stranger")
        wait_until(lambda: self.accepted(running) == ["stranger"], "the other authority counts")

    def use_ca(self, name: str) -> None:
        text = (self.certificates.directory / f"{name}.crt").read_text()
        (self.certificates.directory / "clients.crt").write_text(text)

    def test_tls_may_begin_and_end(self):
        running = self.start_tls()
        self.file.write_text("# no TLS\n")
        wait_until(lambda: self.is_plain(running), "it is plain HTTP")
        self.file.write_text(CERTIFICATE)
        wait_until(lambda: self.accepts(running, ""), "it is TLS again")

    def is_plain(self, running: Daemon) -> bool:
        try:
            return client.request(running.address, "/-/healthy").status == 200
        except (OSError, http.client.HTTPException):
            return False


@unittest.skipUnless(os.environ.get("TIMEWAIT_OPTIMISED") == "1", "memory is that of an optimised build")
class Memory(TlsTest):
    def test_it_is_given_back_when_many_clients_have_gone(self):
        running = self.start_tls("", "--collector.disable-defaults", "--collector.sockstat")
        self.assert_status(self.scrape(running), 200)
        before = running.resident_bytes()
        context = self.context()
        peers = [self.connect(running, context) for _ in range(300)]
        for peer in peers:
            peer.connect()
        most = running.resident_bytes()
        for peer in peers:
            peer.close()
        self.assertGreater(most, before + 16 * MIB)
        wait_until(lambda: running.resident_bytes() < before + 8 * MIB, "memory is given back")


class HalfOpenHandshakes(TlsTest):
    def connect_half_open(self, running: Daemon, sent: bytes) -> list[socket.socket]:
        peers = []
        for _ in range(HALF_OPEN):
            peer = client.open_socket(running.address)
            self.addCleanup(peer.close)
            peer.sendall(sent)
            peers.append(peer)
        return peers

    def assert_scrape_is_fast(self, running: Daemon) -> None:
        fastest = min(self.seconds_of_scrape(running) for _ in range(5))
        self.assertLess(fastest, SCRAPE_UNDER_LOAD_SECONDS)

    def seconds_of_scrape(self, running: Daemon) -> float:
        begin = time.perf_counter()
        self.assert_status(self.scrape(running), 200)
        return time.perf_counter() - begin

    def test_they_disturb_nobody_and_are_cut_off(self):
        running = self.start_tls()
        descriptors = self.descriptors_at_rest(running)
        begin = time.monotonic()
        hello = bytes.fromhex("1603010200010001fc0303")  # of a ClientHello, the first bytes
        self.connect_half_open(running, b"")
        self.connect_half_open(running, hello)
        self.assert_scrape_is_fast(running)
        self.assertGreaterEqual(running.open_descriptors(), descriptors + HALF_OPEN)
        wait_until(lambda: running.open_descriptors() <= descriptors, "all are cut off")
        self.assertGreater(time.monotonic() - begin, HANDSHAKE_SECONDS - 0.5)

    def test_garbage_ends_the_handshake_at_once(self):
        running = self.start_tls()
        descriptors = self.descriptors_at_rest(running)
        self.connect_half_open(running, b"\x00" * 64)
        wait_until(lambda: running.open_descriptors() <= descriptors, "all are closed")
        self.assert_scrape_is_fast(running)


if __name__ == "__main__":
    run_tests()
