"""What the daemon makes of sources that are missing, unreadable or not what the kernel writes."""

from collections.abc import Callable
from dataclasses import dataclass

from support.case import EndToEndTest, run_tests, wait_until
from support.daemon import Daemon, copy_program
from support.exposition import Exposition
from support.proc_tree import ProcTree

# By name, so that collectors to come do not change what is expected here.
COLLECTORS = ("sock_diag", "netstat", "sockstat", "slabinfo", "sysctl")
ONLY_THESE = ("--collector.disable-defaults", *(f"--collector.{name}" for name in COLLECTORS))
INTERVAL = "interval: 50ms\n"
# Enough to see that something is not said again at each of them.
SEVERAL = 4

FROM_SNMP = {f"timewait_netstat_{name}" for name in (
    "active_opens_total", "passive_opens_total", "attempt_fails_total", "estab_resets_total",
    "out_rsts_total", "curr_estab")}
FROM_BOTH = {"timewait_netstat_field_available"}


@dataclass(frozen=True)
class Source:
    """A file, who reads it, and which metrics come from it."""

    path: str
    readers: tuple[str, ...]
    feeds: Callable[[str], bool]
    cut_after: bytes  # a text that breaks off behind the last of these is too short


SOCKSTAT = Source("net/sockstat", ("sockstat",), cut_after=b"\nTC",
                  feeds=lambda name: name.startswith("timewait_sockstat_tcp_"))
SOURCES = (
    SOCKSTAT,
    Source("net/netstat", ("netstat",), cut_after=b"\nTcpExt: ",
           feeds=lambda name: (name.startswith("timewait_netstat_")
                               and name not in FROM_SNMP | FROM_BOTH)),
    Source("net/snmp", ("netstat",), cut_after=b"\nTcp: ", feeds=FROM_SNMP.__contains__),
    Source("slabinfo", ("slabinfo",), cut_after=b"# name ",
           feeds=lambda name: name.startswith("timewait_slab_")),
    Source("sys/net/ipv4/ip_local_port_range", ("sock_diag", "sysctl"), cut_after=b"\t",
           feeds=lambda name: name.startswith(("timewait_ephemeral_ports", "timewait_connect_",
                                               "timewait_bind_ports_", "timewait_bind_local_",
                                               "timewait_sysctl_net_ipv4_ip_local_port_range_"))),
    Source("sys/net/ipv4/tcp_mem", ("sysctl",), cut_after=b"\t",
           feeds=lambda name: name.startswith("timewait_sysctl_net_ipv4_tcp_mem_")),
)


@dataclass(frozen=True)
class Fault:
    """A way to break a source, and the reason that the daemon is to give for it."""

    name: str
    reason: str
    inflict: Callable[[ProcTree, Source], None]

    def stops(self, reader: str) -> bool:
        """A sysctl that is not there is an answer, not an error."""
        return not (self.name == "missing" and reader == "sysctl")


def truncate(tree: ProcTree, source: Source) -> None:
    text = tree.text(source.path)
    tree.put(source.path, text[:text.rindex(source.cut_after)] + source.cut_after)


MISSING = Fault("missing", "unavailable", lambda tree, source: tree.remove(source.path))
GARBAGE = Fault("garbage", "malformed",
                lambda tree, source: tree.put(source.path, bytes(range(256)) * 64))
# These each source may have in a way of its own ...
FAULTS_OF_EACH = (
    MISSING,
    Fault("unreadable", "permission",
          lambda tree, source: tree.put(source.path, tree.text(source.path), mode=0)),
    Fault("truncated", "malformed", truncate),
    GARBAGE,
)
# ... and these are the same for all.
FAULTS_OF_ALL = (
    Fault("a directory", "io", lambda tree, source: tree.put_directory(source.path)),
    Fault("a silent pipe", "malformed", lambda tree, source: tree.put_pipe(source.path)),
    Fault("empty", "malformed", lambda tree, source: tree.put(source.path, b"")),
    Fault("larger than any such file", "malformed",
          lambda tree, source: tree.put(source.path, tree.text(source.path) + b" 1" * (1 << 20))),
)


def counted_errors(exposition: Exposition) -> dict[tuple[str, str], float]:
    """The error counts by collector and reason."""
    counts = exposition.all_of("timewait_exporter_collector_errors_total").items()
    return {(dict(labels)["collector"], dict(labels)["reason"]): count for labels, count in counts}


def failed_collectors(exposition: Exposition) -> set[str]:
    """Those whose last poll did not succeed."""
    success = exposition.all_of("timewait_exporter_collector_success").items()
    return {dict(labels)["collector"] for labels, value in success if value == 0}


def lasting_names(exposition: Exposition, chosen: Callable[[str], bool] = bool) -> set[str]:
    """The names that do not come and go with single connections."""
    return {name for name, labels in exposition.samples
            if chosen(name) and not {"local_address", "remote_address"} & dict(labels).keys()}


def polls(running: Daemon) -> float:
    return running.scrape().value("timewait_exporter_polls_total") or 0


def wait_for_polls(running: Daemon, count: int) -> None:
    """Until so many polls have ended since the call."""
    enough = polls(running) + count
    wait_until(lambda: polls(running) >= enough, "the daemon has polled some more")


class FaultTest(EndToEndTest):
    """A daemon without privilege over a copy of /proc."""

    def setUp(self) -> None:
        self.tree = ProcTree(self.directory())
        program = copy_program(self.directory())
        self.daemon = self.start(
            *ONLY_THESE, f"--path.procfs={self.tree.root}", f"--path.sysfs={self.directory()}",
            config=INTERVAL, command=[program], as_nobody=True)

    def reports(self) -> list[dict[str, str]]:
        return self.daemon.log(msg="collector failed")

    def break_and_mend(self, source: Source, fault: Fault) -> None:
        healthy = self.daemon.scrape()
        self.assertEqual(failed_collectors(healthy), set())
        text = self.tree.text(source.path)
        stopped = [reader for reader in source.readers if fault.stops(reader)]
        known = len(self.reports())
        recoveries = len(self.daemon.log(msg="collector recovered"))

        fault.inflict(self.tree, source)
        wait_until(lambda: len(self.reports()) >= known + len(stopped), "the failure is logged")
        wait_for_polls(self.daemon, SEVERAL)
        self.assert_lost(source, stopped, healthy, self.daemon.scrape())
        self.assert_counted({(reader, fault.reason) for reader in stopped}, healthy)
        self.assert_reported(source, stopped, fault.reason, self.reports()[known:])

        self.tree.put(source.path, text)
        self.daemon.wait_for_log(recoveries + len(stopped), msg="collector recovered")
        wait_for_polls(self.daemon, 2)  # the first may have begun before
        mended = self.daemon.scrape()
        self.assertEqual(failed_collectors(mended), set())
        self.assertEqual(lasting_names(mended), lasting_names(healthy))

    def assert_lost(self, source: Source, stopped: list[str], before: Exposition,
                    after: Exposition) -> None:
        """The source's metrics and no others are absent."""
        self.assertEqual(failed_collectors(after), set(stopped))
        lost = lasting_names(before, source.feeds)
        self.assertTrue(lost)
        self.assertEqual(lasting_names(after), lasting_names(before) - lost)

    def assert_counted(self, expected: set[tuple[str, str]], before: Exposition) -> None:
        """Exactly these error counters have grown."""
        then, now = counted_errors(before), counted_errors(self.daemon.scrape())
        self.assertEqual({key for key in now if now[key] > then[key]}, expected)

    def assert_reported(self, source: Source, stopped: list[str], reason: str,
                        reports: list[dict[str, str]]) -> None:
        """Each collector's failure was logged once and names the file."""
        self.assertEqual(sorted(report["collector"] for report in reports), sorted(stopped))
        for report in reports:
            self.assertEqual((report["level"], report["reason"]), ("warn", reason))
            self.assertIn(f"/{source.path}: ", report["err"])


class BrokenFiles(FaultTest):
    def test_a_broken_file_costs_its_own_metrics_until_it_is_mended(self):
        for source in SOURCES:
            for fault in FAULTS_OF_EACH:
                with self.subTest(f"{source.path} is {fault.name}"):
                    self.break_and_mend(source, fault)

    def test_whatever_stands_in_a_files_place_costs_no_more(self):
        for fault in FAULTS_OF_ALL:
            with self.subTest(fault.name):
                self.break_and_mend(SOCKSTAT, fault)

    def test_another_reason_for_the_same_failure_is_logged_too(self):
        MISSING.inflict(self.tree, SOCKSTAT)
        self.daemon.wait_for_log(msg="collector failed", reason="unavailable")
        GARBAGE.inflict(self.tree, SOCKSTAT)
        self.daemon.wait_for_log(msg="collector failed", reason="malformed")
        wait_for_polls(self.daemon, SEVERAL)
        self.assertEqual(len(self.reports()), 2)
        self.assertEqual(self.daemon.log(msg="collector recovered"), [])

    def test_a_sysctl_that_is_not_there_is_told_as_not_available(self):
        name = {"netns": "self", "sysctl": "net.ipv4.tcp_fin_timeout"}
        self.assertEqual(self.daemon.scrape().value("timewait_sysctl_available", **name), 1)
        self.tree.remove("sys/net/ipv4/tcp_fin_timeout")
        wait_until(lambda: self.daemon.scrape().value("timewait_sysctl_available", **name) == 0,
                   "the sysctl is not available")

    def test_a_counter_that_this_kernel_lacks_is_told_as_not_available(self):
        name = {"netns": "self", "field": "TWRecycled"}
        text = self.tree.text("net/netstat")
        self.tree.put("net/netstat", text.replace(b" TWRecycled ", b" Unheard "))
        wait_until(
            lambda: self.daemon.scrape().value("timewait_netstat_field_available", **name) == 0,
            "the field is not available")
        exposition = self.daemon.scrape()
        self.assertEqual(failed_collectors(exposition), set())
        self.assertNotIn("timewait_netstat_tw_recycled_total", exposition.names())
        self.assertIn("timewait_netstat_tw_killed_total", exposition.names())

    def test_a_kernel_without_ipv6_is_no_failure(self):
        self.tree.remove("net/sockstat6")
        wait_until(lambda: "timewait_sockstat_tcp6_in_use" not in self.daemon.scrape().names(),
                   "the figure of IPv6 is gone")
        exposition = self.daemon.scrape()
        self.assertEqual(failed_collectors(exposition), set())
        self.assertIn("timewait_sockstat_tcp_in_use", exposition.names())


class NoFilesAtAll(EndToEndTest):
    def test_without_procfs_the_daemon_still_tells_of_sockets_and_of_itself(self):
        running = self.start(*ONLY_THESE, f"--path.procfs={self.directory()}", config=INTERVAL)
        exposition = running.scrape()
        self.assertEqual(failed_collectors(exposition),
                         {"sock_diag", "netstat", "sockstat", "slabinfo", "sysctl"})
        self.assertIn("timewait_sockets", exposition.names())
        self.assertIn("process_open_fds", exposition.names())
        wait_for_polls(running, SEVERAL)
        self.assert_status(running.get("/-/ready"), 200)
        self.assert_status(running.get("/"), 200)

    def test_the_status_page_says_what_is_wrong(self):
        running = self.start(*ONLY_THESE, f"--path.procfs={self.directory()}")
        self.assertIn("/net/sockstat: No such file or directory", running.get("/").text)


class Unprivileged(EndToEndTest):
    def test_without_privilege_slabinfo_alone_fails_and_says_so_once(self):
        running = self.start(*ONLY_THESE, config=INTERVAL, as_nobody=True,
                             command=[copy_program(self.directory())])
        wait_for_polls(running, SEVERAL)
        exposition = running.scrape()
        self.assertEqual(failed_collectors(exposition), {"slabinfo"})
        self.assertEqual({key for key, count in counted_errors(exposition).items() if count},
                         {("slabinfo", "permission")})
        [report] = running.log(msg="collector failed")
        self.assertEqual((report["collector"], report["reason"]), ("slabinfo", "permission"))
        self.assertIn("CAP_DAC_READ_SEARCH", report["err"])
        for name in ("timewait_sockets", "timewait_netstat_tw_total", "timewait_ephemeral_ports",
                     "timewait_sockstat_tcp_time_wait", "timewait_sysctl_net_ipv4_tcp_tw_reuse"):
            self.assertIn(name, exposition.names())


if __name__ == "__main__":
    run_tests()
