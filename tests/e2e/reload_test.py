"""A running daemon reads its configuration again on SIGHUP, and takes it or leaves it as a whole."""

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from support import client
from support.case import EndToEndTest, run_tests, wait_until
from support.daemon import PROGRAM, Daemon
from support.exposition import Exposition
from support.log import Record

SUCCESSFUL = "timewait_exporter_config_last_reload_successful"
READ_AT = "timewait_exporter_config_last_reload_success_timestamp_seconds"
RELOADED = "configuration reloaded"
NOT_RELOADED = "configuration not reloaded, the last one stays"


class Reload(EndToEndTest):
    def begin(self, config: str, *flags: str) -> Daemon:
        """One that listens on a free port, or where the configuration says."""
        self.file = self.directory() / "config.yaml"
        self.file.write_text(config)
        flags = (f"--config.file={self.file}", *flags)
        names_addresses = "listen_addresses" in config
        daemon = Daemon([PROGRAM, *flags]) if names_addresses else Daemon.on_loopback(*flags)
        self.addCleanup(daemon.stop)
        daemon.wait_until_ready()
        return daemon

    def reload(self, daemon: Daemon, config: str, expected: str = RELOADED) -> list[Record]:
        """What the log says of this reload."""
        known = len(daemon.log(msg=expected))
        self.file.write_text(config)
        os.kill(daemon.pid, signal.SIGHUP)
        return daemon.wait_for_log(msg=expected, count=known + 1)[known:]

    def test_collectors_come_and_go_and_the_others_keep_counting(self):
        daemon = self.begin("interval: 1h\n")
        before = daemon.scrape()
        self.reload(
            daemon,
            "interval: 1h\n"
            "collectors: {slabinfo: {enabled: false}, sysctl: {extra: [net.ipv4.tcp_sack]}}\n",
        )
        after = daemon.scrape()
        self.assertEqual(self.collectors(before) - self.collectors(after), {"slabinfo"})
        self.assertIsNotNone(after.value("timewait_sysctl_net_ipv4_tcp_sack", netns="self"))
        self.assertEqual(after.value(SUCCESSFUL), 1)
        self.assertGreater(after.value(READ_AT), before.value(READ_AT))
        polls = "timewait_exporter_polls_total"
        self.assertGreater(after.value(polls), before.value(polls))

    def test_a_bad_configuration_changes_nothing_and_is_told_with_its_places(self):
        daemon = self.begin("interval: 1h\n")
        before = daemon.scrape()
        self.reload(
            daemon,
            "interval: 1x\ncollectors: {slab: {}}\nweb: {telemetry_path: /other}\n",
            NOT_RELOADED,
        )
        records = daemon.wait_for_log(msg=NOT_RELOADED, count=2)
        self.assertIn(f'{self.file}:1:11: interval: expected a duration', records[0]["err"])
        self.assertIn(f'{self.file}:2:14: collectors: unknown collector "slab"', records[1]["err"])
        after = wait_until(
            lambda: (scraped := daemon.scrape()).value(SUCCESSFUL) == 0 and scraped, "the metric tells"
        )
        self.assertEqual(after.value(READ_AT), before.value(READ_AT))
        self.assertEqual(self.collectors(after), self.collectors(before))
        self.reload(daemon, "interval: 1h\n")
        self.assertEqual(daemon.scrape().value(SUCCESSFUL), 1)

    def test_the_metrics_move_to_another_path(self):
        daemon = self.begin("interval: 1h\n")
        self.reload(daemon, "interval: 1h\nweb: {telemetry_path: /moved}\n")
        self.assert_status(daemon.get("/moved"), 200)
        self.assert_status(daemon.get("/metrics"), 404)
        self.assertIn('href="/moved"', daemon.get("/").text)

    def test_a_scraper_keeps_its_connection_while_the_address_changes(self):
        unix = self.directory() / "socket"
        daemon = self.begin("web: {listen_addresses: ['127.0.0.1:0']}\n")
        kept = client.connect(daemon.address)
        self.addCleanup(kept.close)
        self.assertEqual(self.ask(kept), 200)
        self.reload(daemon, f"web: {{listen_addresses: ['unix:{unix}']}}\n")
        self.assertEqual(self.ask(kept), 200)
        self.assert_status(client.request(f"unix:{unix}", "/metrics"), 200)
        with self.assertRaises(ConnectionRefusedError):
            client.open_socket(daemon.address)

    def test_an_address_that_cannot_be_had_changes_nothing(self):
        with self.held_port() as port:
            daemon = self.begin("web: {listen_addresses: ['127.0.0.1:0']}\n")
            (record,) = self.reload(
                daemon,
                f"web: {{listen_addresses: ['127.0.0.2:0', '127.0.0.1:{port}'], telemetry_path: /other}}\n",
                NOT_RELOADED,
            )
            self.assertIn("Address already in use", record["err"])
            self.assert_status(daemon.get(), 200)
            self.assertEqual(len(daemon.log(msg="listening")), 1)

    def test_a_request_reloads_where_that_is_enabled_and_waits_for_what_comes_of_it(self):
        daemon = self.begin("interval: 1h\n", "--web.enable-lifecycle")
        self.file.write_text("interval: 1h\nweb: {telemetry_path: /moved}\n")
        reply = client.request(daemon.address, "/-/reload", method="POST")
        self.assert_status(reply, 200)
        self.assert_status(daemon.get("/moved"), 200)
        self.file.write_text("interval: 1x\nweb: {telemetry_path: metrics}\n")
        reply = client.request(daemon.address, "/-/reload", method="POST")
        self.assert_status(reply, 500)
        lines = reply.text.splitlines()
        self.assertEqual([line.partition(" ")[0] for line in lines], [f"{self.file}:1:11:", f"{self.file}:2:23:"])
        self.assert_status(daemon.get("/-/reload"), 405)
        self.assert_status(daemon.get("/moved"), 200)

    def test_many_requests_at_a_time_are_each_answered(self):
        daemon = self.begin("interval: 1h\n", "--web.enable-lifecycle")
        connections = [client.connect(daemon.address) for _ in range(40)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.putrequest("POST", "/-/reload")
            connection.endheaders()
        statuses = [connection.getresponse().status for connection in connections]
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertIn(200, statuses)

    def test_the_web_configuration_is_part_of_a_reload(self):
        web = self.directory() / "web.yml"
        web.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
        daemon = self.begin("interval: 1h\n", f"--web.config.file={web}")
        web.write_text("http_server_config: {headers: {X-Frame-Options: sometimes}}\n")
        records = self.reload(daemon, "interval: 1h\nweb: {telemetry_path: /moved}\n", NOT_RELOADED)
        self.assertIn(f"{web}:1:", records[0]["err"])
        self.assert_status(daemon.get("/metrics"), 200)
        web.write_text("http_server_config: {headers: {X-Frame-Options: sameorigin}}\n")
        self.reload(daemon, "interval: 1h\nweb: {telemetry_path: /moved}\n")
        self.assertEqual(daemon.get("/moved").headers["X-Frame-Options"], "sameorigin")

    def test_an_address_can_come_back_at_once(self):
        first, second = (f"web: {{listen_addresses: ['127.0.0.{n}:0', '127.0.0.3:0']}}\n" for n in (1, 2))
        daemon = self.begin(first)
        port = daemon.port
        for turn in range(20):
            self.reload(daemon, second)
            self.reload(daemon, f"web: {{listen_addresses: ['127.0.0.1:{port}', '127.0.0.3:0']}}\n")
        self.assertEqual(daemon.log(msg=NOT_RELOADED), [])

    def test_a_file_that_was_emptied_changes_nothing(self):
        web = self.directory() / "web.yml"
        web.write_text("rate_limit: {interval: 1ms, burst: 100}\n")
        daemon = self.begin("interval: 1h\nweb: {telemetry_path: /kept}\n", f"--web.config.file={web}")
        (record,) = self.reload(daemon, "", NOT_RELOADED)
        self.assertIn(f"{self.file}: is empty", record["err"])
        web.write_text("")
        (record,) = self.reload(daemon, "interval: 1h\n", NOT_RELOADED)
        self.assertIn(f"{web}: is empty", record["err"])
        self.assert_status(daemon.get("/kept"), 200)

    def test_a_configuration_that_came_by_a_pipe_stays(self):
        read, write = os.pipe()
        with os.fdopen(write, "w") as pipe:
            pipe.write("interval: 1h\nweb: {telemetry_path: /piped}\n")
        daemon = Daemon.on_loopback(f"--config.file=/dev/fd/{read}", pass_fds=[read])
        os.close(read)
        self.addCleanup(daemon.stop)
        self.assert_status(daemon.get("/piped"), 200)
        os.kill(daemon.pid, signal.SIGHUP)
        (record,) = daemon.wait_for_log(msg=NOT_RELOADED)
        self.assertIn("is not a regular file", record["err"])
        self.assert_status(daemon.get("/piped"), 200)

    def test_nothing_is_lost_over_a_hundred_reloads(self):
        daemon = self.begin("interval: 1h\n")
        self.reload(daemon, "interval: 1h\n")
        descriptors = daemon.open_descriptors()
        for turn in range(100):
            self.reload(daemon, f"interval: 1h\ncollectors: {{sock_diag: {{top: {turn}}}}}\n")
        self.assertEqual(daemon.open_descriptors(), descriptors)

    def test_a_hang_up_before_it_serves_waits_until_it_does(self):
        daemon = Daemon.on_loopback()
        self.addCleanup(daemon.stop)
        daemon.wait_for_log(msg="starting timewait_exporter")
        os.kill(daemon.pid, signal.SIGHUP)
        daemon.wait_for_log(msg=RELOADED)
        self.assert_status(daemon.get(), 200)

    @staticmethod
    def collectors(scraped: Exposition) -> set[str]:
        success = scraped.all_of("timewait_exporter_collector_success")
        return {dict(labels)["collector"] for labels in success}

    @staticmethod
    def ask(connection: http.client.HTTPConnection) -> int:
        return client.exchange(connection, "GET", "/-/healthy").status

    @contextmanager
    def held_port(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]


if __name__ == "__main__":
    run_tests()
