"""What a client gets from each path, method and query."""

import base64
import hashlib
import html.parser
import re
import socket

from support import client
from support.case import FrozenDaemonTest, new_directory, run_tests
from support.exposition import Exposition

READ_ONLY_PATHS = ("/metrics", "/", "/-/healthy", "/-/ready")
PREFIXES = {
    "netstat": "timewait_netstat_",
    "sockstat": "timewait_sockstat_",
    "slabinfo": "timewait_slab_",
    "sysctl": "timewait_sysctl_",
    "advice": "timewait_advice",
}


def belongs_to_exporter(name: str) -> bool:
    return name.startswith(("timewait_exporter_", "process_"))


class Links(html.parser.HTMLParser):
    """The links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets += [value or "" for name, value in attrs if name == "href"]


class Paths(FrozenDaemonTest):
    def test_the_daemon_says_that_it_is_healthy_and_ready(self):
        for path in ("/-/healthy", "/-/ready"):
            with self.subTest(path):
                reply = self.request(path)
                self.assert_status(reply, 200)
                self.assertEqual(reply.media_type, "text/plain")

    def test_any_other_path_is_not_found(self):
        for path in ("/metricsfoo", "/metrics/", "/metric", "/METRICS", "//metrics", "/-/",
                     "/-/quit", "/favicon.ico", "/metrics%00", "/../metrics"):
            with self.subTest(path):
                self.assert_status(self.request(path), 404)

    def test_a_path_may_be_percent_encoded(self):
        self.assert_status(self.request("/%6detrics"), 200)

    def test_the_status_page_is_html_and_its_links_lead_somewhere(self):
        page = self.request("/")
        self.assert_status(page, 200)
        self.assertEqual(page.media_type, "text/html")
        links = Links(page.text).targets
        self.assertIn("/metrics", links)
        for link in links:
            if link.startswith("https:"):
                self.assertIn("/docs/", link)  # not asked for: tests need no network
                continue
            with self.subTest(link):
                self.assert_status(self.request(link), 200)

    def test_the_status_page_is_html_whoever_asks(self):
        for accept in ("text/html,application/xhtml+xml", "*/*", "text/plain", "application/json"):
            with self.subTest(accept):
                self.assertEqual(self.daemon.get("/", Accept=accept).media_type, "text/html")

    def test_the_status_page_is_fetched_again_and_not_kept(self):
        headers = self.request("/").headers
        self.assertEqual(headers["Refresh"], "3600")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertNotIn("Refresh", self.request("/?refresh=off").headers)

    def test_the_policy_of_the_status_page_names_its_style(self):
        page = self.request("/")
        style = re.search("<style>(.*)</style>", page.text, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = page.headers["Content-Security-Policy"].split("; ")
        self.assertIn("default-src 'none'", policy)
        self.assertIn(f"style-src 'sha256-{digest}'", policy)

    def test_the_status_page_tells_of_every_collector(self):
        page = self.request("/").text
        for labels in self.daemon.scrape().all_of("timewait_exporter_collector_success"):
            collector = dict(labels)["collector"]
            self.assertIn(f">{collector}</th>", page)

    def test_reload_is_refused_while_the_lifecycle_api_is_off(self):
        reply = self.request("/-/reload", method="POST")
        self.assert_status(reply, 403)
        self.assertIn("not enabled", reply.text)


class ConfiguredPolicy(FrozenDaemonTest):
    @classmethod
    def setUpClass(cls) -> None:
        web = new_directory(cls.addClassCleanup) / "web.yml"
        web.write_text("http_server_config: { headers: { Content-Security-Policy: default-src 'self' } }\n")
        cls.flags = (f"--web.config.file={web}",)
        super().setUpClass()

    def test_the_configured_policy_stands_in_for_that_of_the_status_page(self):
        for path in ("/", "/metrics"):
            with self.subTest(path):
                policies = self.request(path).headers.get_all("Content-Security-Policy")
                self.assertEqual(policies, ["default-src 'self'"])


class Methods(FrozenDaemonTest):
    def test_head_gets_the_headers_of_get_and_no_body(self):
        for target in (*READ_ONLY_PATHS, "/metrics?collect[]=sockstat", "/nowhere"):
            with self.subTest(target):
                got, head = (self.request(target, method=method) for method in ("GET", "HEAD"))
                self.assertEqual(head.status, got.status)
                self.assertEqual(head.body, b"")
                for headers in (got.headers, head.headers):
                    del headers["Date"]
                self.assertEqual(head.headers.items(), got.headers.items())
                self.assertEqual(int(got.headers["Content-Length"]), len(got.body))

    def test_a_connection_goes_on_after_head(self):
        connection = client.connect(self.daemon.address)
        self.addCleanup(connection.close)
        for method in ("HEAD", "GET", "HEAD", "GET"):
            reply = client.exchange(connection, method, "/metrics")
            self.assert_status(reply, 200)
            self.assertEqual(reply.body != b"", method == "GET")

    def test_other_methods_are_refused_with_those_that_are_allowed(self):
        for path in READ_ONLY_PATHS:
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get"):
                with self.subTest(f"{method} {path}"):
                    reply = self.request(path, method=method)
                    self.assert_status(reply, 405)
                    self.assertEqual(reply.headers["Allow"], "GET, HEAD")

    def test_reload_is_for_post_alone(self):
        for method in ("GET", "HEAD", "PUT"):
            with self.subTest(method):
                reply = self.request("/-/reload", method=method)
                self.assert_status(reply, 405)
                self.assertEqual(reply.headers["Allow"], "POST")

    def test_a_request_with_a_body_is_refused(self):
        self.assert_status(self.request("/-/reload", method="POST", body=b"x"), 403)
        self.assert_status(self.request("/metrics", method="GET", body=b"x"), 413)


class Filters(FrozenDaemonTest):
    def scrape(self, query: str) -> Exposition:
        return self.daemon.scrape("/metrics?" + query)

    def test_collect_gives_one_collector_and_what_the_exporter_tells_of_itself(self):
        everything = self.daemon.scrape()
        for collector, prefix in PREFIXES.items():
            with self.subTest(collector):
                expected = everything.names(
                    lambda name: belongs_to_exporter(name) or name.startswith(prefix))
                self.assertEqual(self.scrape(f"collect[]={collector}").names(), expected)

    def test_collect_may_name_several_collectors(self):
        both = self.scrape("collect[]=sockstat&collect[]=sysctl").names()
        each = self.scrape("collect[]=sockstat").names() | self.scrape("collect[]=sysctl").names()
        self.assertEqual(both, each)

    def test_a_collector_named_twice_is_given_once(self):
        self.assertEqual(self.scrape("collect[]=sockstat&collect[]=sockstat"),
                         self.scrape("collect[]=sockstat"))

    def test_exclude_gives_all_other_collectors(self):
        everything = self.daemon.scrape()
        rest = everything.names(
            lambda name: not name.startswith(("timewait_sockstat_", "timewait_sysctl_")))
        self.assertEqual(self.scrape("exclude[]=sockstat&exclude[]=sysctl").names(), rest)

    def test_brackets_may_be_percent_encoded(self):
        self.assertEqual(self.scrape("collect%5B%5D=sockstat"), self.scrape("collect[]=sockstat"))

    def test_a_filtered_reply_has_the_values_of_the_whole_one(self):
        everything = self.daemon.scrape().samples
        for series, value in self.scrape("collect[]=sockstat").samples.items():
            self.assertEqual(value, everything[series], series)

    def test_a_filtered_reply_is_openmetrics_where_that_is_asked_for(self):
        reply = self.daemon.get("/metrics?collect[]=sockstat",
                                Accept="application/openmetrics-text")
        self.assertEqual(reply.media_type, "application/openmetrics-text")
        self.assertTrue(reply.text.endswith("\n# EOF\n"), reply.text[-100:])

    def test_other_parameters_do_not_matter(self):
        self.assertEqual(self.scrape("debug=1&collect=x"), self.daemon.scrape())

    def test_collect_together_with_exclude_is_refused(self):
        reply = self.request("/metrics?collect[]=sockstat&exclude[]=sysctl")
        self.assert_status(reply, 400)
        self.assertIn("together", reply.text)

    def test_a_collector_that_does_not_exist_is_refused_by_name(self):
        for query in ("collect[]=sockstats", "exclude[]=sockstats",
                      "collect[]=sockstat&collect[]=sockstats"):
            with self.subTest(query):
                reply = self.request("/metrics?" + query)
                self.assert_status(reply, 400)
                self.assertIn('"sockstats"', reply.text)

    def test_a_refusal_repeats_nothing_that_a_browser_could_run(self):
        reply = self.request("/metrics?collect[]=%3Cscript%3E%0d%0aX:%20y")
        self.assert_status(reply, 400)
        self.assertEqual(reply.media_type, "text/plain")
        self.assertNotIn("X", reply.headers)


class DisabledCollector(FrozenDaemonTest):
    flags = ("--no-collector.slabinfo",)

    def test_a_disabled_collector_is_refused(self):
        for query in ("collect[]=slabinfo", "exclude[]=slabinfo"):
            with self.subTest(query):
                reply = self.request("/metrics?" + query)
                self.assert_status(reply, 400)
                self.assertIn('"slabinfo"', reply.text)

    def test_a_disabled_collector_has_no_series(self):
        exposition = self.daemon.scrape()
        self.assertEqual(exposition.names(lambda name: name.startswith("timewait_slab_")), set())
        self.assertIsNone(
            exposition.value("timewait_exporter_collector_success", collector="slabinfo"))


class TelemetryPath(FrozenDaemonTest):
    flags = ("--web.telemetry-path=/own/path",)

    def test_the_metrics_are_at_the_path_of_the_flag_and_only_there(self):
        self.assert_status(self.request("/own/path"), 200)
        self.assertIn("timewait_sockets", self.daemon.scrape("/own/path").names())
        self.assert_status(self.request("/metrics"), 404)

    def test_the_status_page_links_to_it(self):
        links = Links(self.request("/").text).targets
        self.assertIn("/own/path", links)
        self.assertNotIn("/metrics", links)


class Wire(FrozenDaemonTest):
    """What http.client would not send."""

    def send(self, data: bytes) -> bytes:
        """The reply to some bytes after which the server has to close."""
        with client.open_socket(self.daemon.address) as peer:
            peer.sendall(data)
            return client.receive_all(peer)

    def assert_refused(self, data: bytes, status: int) -> None:
        reply = self.send(data)
        self.assertTrue(reply.startswith(f"HTTP/1.1 {status} ".encode()), reply[:200])
        self.assertIn(b"Connection: close", reply)

    def test_pipelined_requests_are_answered_in_their_order(self):
        replies = self.send(
            b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(replies.count(b"HTTP/1.1 200 OK"), 2, replies)
        self.assertLess(replies.index(b"healthy\n"), replies.index(b"ready\n"))

    def test_http_1_0_closes_unless_asked_to_keep_alive(self):
        reply = self.send(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        self.assertTrue(reply.endswith(b"healthy\n"), reply)
        with client.open_socket(self.daemon.address) as peer:
            for _ in range(2):
                peer.sendall(b"GET /-/healthy HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                reply = client.receive_all(peer, until=b"healthy\n")
                self.assertIn(b"Connection: keep-alive", reply)

    def test_a_request_may_come_byte_by_byte(self):
        with client.open_socket(self.daemon.address) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
                peer.sendall(bytes([byte]))
            self.assertTrue(client.receive_all(peer).endswith(b"healthy\n"))

    def test_a_url_as_target_is_taken_for_its_path(self):
        reply = self.send(
            b"GET http://x:1/-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(reply.endswith(b"healthy\n"), reply)

    def test_what_is_no_http_is_refused(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                     b"GET metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            with self.subTest(data):
                self.assert_refused(data, 400)

    def test_a_header_of_more_than_8_kib_is_refused(self):
        self.assert_refused(
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431)

    def test_a_refused_client_does_not_disturb_the_next_one(self):
        self.send(b"\0" * 64 + b"\r\n\r\n")
        self.assert_status(self.request("/-/healthy"), 200)



if __name__ == "__main__":
    run_tests()
