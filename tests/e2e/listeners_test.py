"""Where the daemon listens, and how it ends."""

import os
import signal
import socket
import stat
import unittest

from support import client, daemon
from support.case import EndToEndTest, require_tool, run_tests, wait_until
from support.daemon import PROGRAM, Daemon
from support.socket_activation import handing_over
from support.sockets import has_ipv6

# A port that somebody else holds is no fault of the daemon's, but so many in a row are.
ATTEMPTS = 10


def finds_its_port_taken(running: Daemon) -> bool:
    """Whether it ends because somebody else has its port; else it listens."""
    wait_until(lambda: running.log(msg="listening") or running.log(level="error"),
               "it listens or says why not")
    taken = "Address already in use"
    return any(record["msg"].endswith(taken) for record in running.log(level="error"))


class ListenAddresses(EndToEndTest):
    def assert_serves(self, address: str) -> None:
        self.assert_status(client.request(address, "/metrics"), 200)

    def assert_refuses(self, address: str) -> None:
        with self.assertRaises(ConnectionRefusedError):
            client.request(address, "/metrics")

    def test_port_0_is_a_free_port_that_the_log_names(self):
        first = self.start("--web.listen-address=127.0.0.1:0")
        second = self.start("--web.listen-address=127.0.0.1:0")
        self.assertTrue(first.address.startswith("127.0.0.1:"), first.address)
        self.assertNotIn(0, (first.port, second.port))
        self.assertNotEqual(first.port, second.port)

    def test_the_log_names_the_telemetry_path(self):
        running = self.start("--web.telemetry-path=/probe")
        self.assertEqual(running.log(msg="listening")[0]["telemetry_path"], "/probe")

    @unittest.skipUnless(has_ipv6(), "the host has no IPv6")
    def test_an_ipv6_address_is_in_brackets(self):
        running = self.start("--web.listen-address=[::1]:0")
        self.assertTrue(running.address.startswith("[::1]:"), running.address)
        self.assert_serves(running.address)

    @unittest.skipUnless(has_ipv6(), "the host has no IPv6")
    def test_an_address_without_host_takes_both_families(self):
        running = self.start("--web.listen-address=:0")
        self.assert_serves(f"127.0.0.1:{running.port}")
        self.assert_serves(f"[::1]:{running.port}")

    @unittest.skipUnless(has_ipv6(), "the host has no IPv6")
    def test_the_ipv6_wildcard_takes_ipv6_alone(self):
        # Holding the port of IPv4 leaves the daemon only IPv6, and lets nobody else answer there.
        for _ in range(ATTEMPTS):
            held = socket.socket()
            self.addCleanup(held.close)
            held.bind(("0.0.0.0", 0))
            port = held.getsockname()[1]
            running = Daemon.on_loopback(f"--web.listen-address=[::]:{port}")
            self.addCleanup(running.kill)
            if not finds_its_port_taken(running):
                break
        self.assertEqual(running.address, f"[::]:{port}")
        self.assert_serves(f"[::1]:{port}")
        self.assert_refuses(f"127.0.0.1:{port}")
        running.stop()

    def test_several_addresses_serve_at_once(self):
        path = self.directory() / "metrics.sock"
        running = self.start("--web.listen-address=127.0.0.1:0", "--web.listen-address=127.0.0.2:0",
                             f"--web.listen-address=unix:{path}")
        addresses = [record["address"] for record in running.wait_for_log(3, msg="listening")]
        self.assertEqual([address.rpartition(":")[0] for address in addresses],
                         ["127.0.0.1", "127.0.0.2", "unix"])
        for address in addresses:
            self.assert_serves(address)

    def test_the_configuration_file_names_addresses_too_and_the_flag_wins(self):
        path = self.directory() / "metrics.sock"
        config = f'web: {{ listen_addresses: ["unix:{path}"] }}\n'
        running = self.start("--web.listen-address=127.0.0.1:0", config=config)
        self.assert_serves(running.address)
        self.assertFalse(path.exists())


class UnixSockets(EndToEndTest):
    def setUp(self) -> None:
        self.path = self.directory() / "metrics.sock"
        self.flag = f"--web.listen-address=unix:{self.path}"

    def test_a_unix_socket_serves_and_is_removed_at_the_end(self):
        running = self.start(self.flag)
        self.assertEqual(running.address, f"unix:{self.path}")
        self.assert_status(running.get(), 200)
        self.assertTrue(stat.S_ISSOCK(self.path.stat().st_mode))
        running.stop()
        self.assertFalse(self.path.exists())

    def test_a_socket_file_that_nobody_listens_on_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(self.path))
        self.assert_status(self.start(self.flag).get(), 200)

    def test_a_socket_that_somebody_listens_on_is_left_alone(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.path))
            other.listen()
            self.assertEqual(daemon.run(self.flag).returncode, 1)
        self.assertTrue(self.path.exists())

    def test_another_file_in_the_place_is_left_alone(self):
        self.path.write_text("precious")
        self.assertEqual(daemon.run(self.flag).returncode, 1)
        self.assertEqual(self.path.read_text(), "precious")


class UnusableAddresses(EndToEndTest):
    def assert_fails_with(self, error: str, *flags: str, **options) -> None:
        """One line of error, and the status of a failure."""
        failing = Daemon([*options.pop("command", [PROGRAM]), *flags], **options)
        self.addCleanup(failing.kill)
        self.assertEqual(failing.wait(), 1)
        self.assertEqual([record["msg"] for record in failing.log(level="error")], [error])
        self.assertEqual(failing.log(msg="listening"), [])

    def test_a_port_in_use_is_one_line_of_error(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_fails_with(f"cannot listen on {address}: Address already in use",
                                   f"--web.listen-address={address}")

    def test_one_bad_address_of_several_is_one_line_of_error(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_fails_with(f"cannot listen on {address}: Address already in use",
                                   "--web.listen-address=127.0.0.1:0",
                                   f"--web.listen-address={address}")

    def test_an_address_of_another_host_is_one_line_of_error(self):
        self.assert_fails_with(
            "cannot listen on 192.0.2.1:10060: Cannot assign requested address",
            "--web.listen-address=192.0.2.1:10060")

    def test_a_directory_that_is_not_there_is_one_line_of_error(self):
        path = self.directory() / "nowhere" / "metrics.sock"
        self.assert_fails_with(f"cannot listen on unix:{path}: No such file or directory",
                               f"--web.listen-address=unix:{path}")

    def test_socket_activation_without_a_socket_is_one_line_of_error(self):
        self.assert_fails_with(
            "systemd passed no socket: LISTEN_PID and LISTEN_FDS are not set",
            "--web.systemd-socket")

    def test_a_socket_that_is_meant_for_another_process_is_not_taken(self):
        self.assert_fails_with(
            "systemd passed no socket: LISTEN_PID is not this process",
            "--web.systemd-socket",
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})

    def test_a_descriptor_that_is_no_listening_socket_is_not_taken(self):
        with socket.socket() as idle:
            self.assert_fails_with(
                "cannot listen on file descriptor 3: not a listening stream socket",
                "--web.systemd-socket", **handing_over(idle))


class SocketActivation(EndToEndTest):
    def test_it_serves_on_the_socket_that_it_is_given(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            running = self.start("--web.systemd-socket", **handing_over(listener))
            self.assertEqual(running.address, f"127.0.0.1:{port}")
            self.assert_status(running.get(), 200)

    def test_it_serves_on_each_of_several_sockets(self):
        path = self.directory() / "metrics.sock"
        with (socket.create_server(("127.0.0.1", 0)) as tcp,
              socket.socket(socket.AF_UNIX) as unix):
            unix.bind(str(path))
            unix.listen()
            running = self.start("--web.systemd-socket", **handing_over(tcp, unix))
            self.assert_status(running.get(), 200)
            self.assert_status(client.request(f"unix:{path}", "/metrics"), 200)
            running.stop()
            self.assertTrue(path.exists(), "the socket file is systemd's to remove")

    def test_systemd_itself_can_start_it(self):
        path = self.directory() / "metrics.sock"
        activate = require_tool("systemd-socket-activate")
        activated = Daemon([activate, f"--listen={path}", PROGRAM, "--web.systemd-socket"])
        self.addCleanup(activated.stop)
        wait_until(lambda: any("Listening on" in line for line in activated.raw_log),
                   "systemd-socket-activate listens")
        self.assert_status(client.request(f"unix:{path}", "/metrics"), 200)
        self.assertEqual(activated.address, f"unix:{path}")


class Ending(EndToEndTest):
    def test_it_ends_well_on_each_stop_signal(self):
        for by in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(by.name):
                running = self.start()
                running.stop(by)
                self.assertEqual(running.log(msg="stopping")[0]["signal"], by.name)

    def test_open_connections_do_not_keep_it(self):
        running = self.start()
        idle = client.open_socket(running.address)
        self.addCleanup(idle.close)
        half = client.open_socket(running.address)
        self.addCleanup(half.close)
        half.sendall(b"GET /metrics HT")
        self.assert_status(running.get("/-/healthy"), 200)
        running.stop()
        self.assertEqual(client.receive_all(idle), b"")
        self.assertEqual(client.receive_all(half), b"")

    def test_it_can_start_again_on_the_port_that_it_had(self):
        for _ in range(ATTEMPTS):
            first = self.start()
            address = first.address
            self.assert_status(first.get(), 200)
            first.stop()
            second = Daemon.on_loopback(f"--web.listen-address={address}")
            self.addCleanup(second.kill)
            if not finds_its_port_taken(second):
                break
        self.assertEqual(second.address, address)
        self.assert_status(second.get(), 200)
        second.stop()


if __name__ == "__main__":
    run_tests()
