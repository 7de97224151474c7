"""Ports run out in a network namespace, and Alertmanager is told of it: the daemon, the rendered alerts, a real
Prometheus and a real Alertmanager with the documented inhibition."""

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.alertmanager import Alertmanager
from support.case import EndToEndTest, require_tool, run_tests, wait_until
from support.daemon import PROGRAM, launcher
from support.failing_connects import program_named, require_tracefs, with_tracefs
from support.namespace import NetworkNamespace, require_namespaces
from support.prometheus import Prometheus, alerts
from support.socket_activation import handing_over
from support.traffic import PORT, Traffic

MONITORING = Path(__file__).resolve().parents[2] / "packaging" / "monitoring"
# Minutes become seconds. Those of the exporter itself stay: on a busy machine a scrape may take a second.
QUICK = """\
local quick(alert) = alert
  + { [name]: '8s' for name in ['window', 'shortWindow', 'reuseWindow'] if name in alert }
  + (if alert['for'] == '0s' then {} else { 'for': '2s' });
local of_the_exporter = ['TimewaitCollectorFailing', 'TimewaitSnapshotStale', 'TimewaitExporterDown'];
local quickly = {
  _config+:: {
    alerts: std.mapWithKey(
      function(name, alert) if std.member(of_the_exporter, name) then alert else quick(alert),
      super.alerts),
  },
};
"""
INTERVAL = "interval: 200ms\n"
# A scrape, two evaluations, `for` and the window take 15 s where nothing else is to be done.
PATIENCE_SECONDS = 50.0

LOCAL = "127.0.0.1"
HOST = "127.0.60.1"
# Failures are counted of the whole host, where other tests may have some of their own: none to this one.
PAGED_HOST = "127.0.61.1"
UNPRIVILEGED = ("--no-collector.connect_failures", "--no-collector.slabinfo")

# An alert: its name and what it names beside the target.
Alert = tuple[str, frozenset[tuple[str, str]]]


def documented_inhibition() -> str:
    readme = (MONITORING / "README.md").read_text()
    [rules] = re.findall(r"```yaml\n(inhibit_rules:\n[^`]*)```", readme)
    return rules


def of_tuple(name: str, host: str, **more: str) -> Alert:
    named = {"local_address": LOCAL, "remote_address": host, "remote_port": str(PORT)}
    return name, frozenset((named | more).items())


def of_own_tuple(name: str, host: str = HOST) -> Alert:
    return of_tuple(name, host, netns="self")


def is_of_another_test(alert: Alert) -> bool:
    name, named = alert
    return name == "TimewaitConnectFailures" and ("remote_address", PAGED_HOST) not in named


def of_namespace(name: str) -> Alert:
    return name, frozenset({("netns", "self")})


class Outage(EndToEndTest):
    @classmethod
    def setUpClass(cls) -> None:
        require_namespaces()
        cls.tools = {name: require_tool(name)
                     for name in ("jsonnet", "prometheus", "prometheus-alertmanager")}

    def stage(self, ports: range, *flags: str, around: Callable = list) -> NetworkNamespace:
        """A namespace with so many ports, watched by a daemon from inside and by the two servers from
        outside, so that their own connections are not in the picture."""
        namespace = NetworkNamespace(self.addCleanup, ports)
        with socket.create_server((LOCAL, 0)) as listener:
            command = around([*launcher(), *namespace.inside([PROGRAM])])
            self.daemon = self.start("--web.systemd-socket", *flags, config=INTERVAL,
                                     **handing_over(listener, command=command))
        directory = self.directory()
        quick_alerts = directory / "alerts.json"  # which is YAML, too
        subprocess.run([self.tools["jsonnet"], "--output-file", quick_alerts, "--exec",
                        f"{QUICK} ((import '{MONITORING}/mixin.libsonnet') + quickly).prometheusAlerts"],
                       check=True, timeout=2 * PATIENCE_SECONDS)
        self.alertmanager = Alertmanager(self.tools["prometheus-alertmanager"], directory,
                                         documented_inhibition())
        self.addCleanup(self.alertmanager.stop)
        self.prometheus = Prometheus(
            self.tools["prometheus"], directory, {"timewait": self.daemon.address},
            more=alerts(quick_alerts, self.alertmanager.address))
        self.addCleanup(self.prometheus.stop)
        wait_until(lambda: self.prometheus.query("timewait_exporter_polls_total"), "it is scraped",
                   PATIENCE_SECONDS)
        return namespace

    def firing(self, state: str = "active") -> dict[Alert, dict[str, str]]:
        """The annotations of the alerts in Alertmanager by what they name."""
        found = {}
        for alert in self.alertmanager.alerts():
            if alert["status"]["state"] == state:
                labels = alert["labels"]
                self.assertEqual(labels.pop("job"), "timewait")
                self.assertEqual(labels.pop("instance"), self.daemon.address)
                labels.pop("severity")
                found[labels.pop("alertname"), frozenset(labels.items())] = alert["annotations"]
        return {alert: said for alert, said in found.items() if not is_of_another_test(alert)}

    def wait_until_firing(self, *expected: Alert,
                          meanwhile: Callable = lambda: None) -> dict[Alert, dict[str, str]]:
        """Annotations, when these and no others are active."""
        found = {}

        def are_active() -> bool:
            nonlocal found
            meanwhile()
            found = self.firing()
            return found.keys() == set(expected)

        try:
            wait_until(are_active, "the right alerts are active", PATIENCE_SECONDS)
        except AssertionError:
            self.assertEqual(found.keys(), set(expected))
            raise
        return found

    def wait_until_suppressed(self, *expected: Alert, meanwhile: Callable = lambda: None) -> None:
        """Returns when what an active alert makes needless is known, but held back."""

        def are_held_back() -> bool:
            meanwhile()
            return set(expected) <= self.firing("suppressed").keys()

        wait_until(are_held_back, f"{expected} are inhibited", PATIENCE_SECONDS)


class FailingConnects(Outage):
    def test_a_page_names_the_destination_and_the_process_and_ends_when_ports_are_free(self):
        tracefs = self.directory()
        require_tracefs(tracefs)
        namespace = self.stage(range(40000, 40010),
                               around=lambda command: with_tracefs(tracefs, command))
        wait_until(lambda: self.prometheus.query("timewait_connect_failures_total"),
                   "failures are counted", PATIENCE_SECONDS)
        traffic = Traffic(self.addCleanup, namespace, program_named(self.directory(), "api"))
        traffic.exhaust(PAGED_HOST)
        page = of_tuple("TimewaitConnectFailures", PAGED_HOST)
        annotations = self.wait_until_firing(page, meanwhile=lambda: traffic.fail(PAGED_HOST, 1))[page]
        self.assertRegex(
            annotations["description"],
            rf"\AOn {self.daemon.address} connects from {LOCAL} to {PAGED_HOST} port {PORT} fail with "
            rf"EADDRNOTAVAIL: [\d.]+k? in the last 8s\. By api \(netns self\): [\d.]+k?\.\Z")
        self.wait_until_suppressed(of_own_tuple("TimewaitConnectPortsExhausted", PAGED_HOST),
                                   meanwhile=lambda: traffic.fail(PAGED_HOST, 1))
        traffic.release()
        self.wait_until_firing()


class ExhaustedPorts(Outage):
    def test_without_the_counter_the_tuple_is_named_and_the_alert_ends_when_ports_are_free(self):
        traffic = Traffic(self.addCleanup, self.stage(range(40000, 40010), *UNPRIVILEGED))
        traffic.exhaust(HOST)
        exhausted = of_own_tuple("TimewaitConnectPortsExhausted")
        annotations = self.wait_until_firing(exhausted)[exhausted]
        self.assertEqual(
            annotations["description"],
            f"On {self.daemon.address} (netns self) 100% of the ephemeral ports from {LOCAL} to {HOST} port "
            f"{PORT} were in use within the last 8s: there connect() fails with EADDRNOTAVAIL.")
        self.wait_until_suppressed(of_own_tuple("TimewaitConnectPortsNearlyExhausted"),
                                   of_namespace("TimewaitBindPortsNearlyExhausted"),
                                   of_namespace("TimewaitConnectPreferredPortsExhausted"))
        traffic.release()
        self.wait_until_firing()


class AbandonedConnections(Outage):
    def test_close_wait_is_told_and_ends_when_the_program_closes(self):
        traffic = Traffic(self.addCleanup, self.stage(range(20000, 21000), *UNPRIVILEGED))
        traffic.abandon(HOST, 150)
        leak = of_namespace("TimewaitCloseWaitAccumulating")
        annotations = self.wait_until_firing(leak)[leak]
        self.assertEqual(
            annotations["description"],
            f"On {self.daemon.address} (netns self) 150 sockets or more have been in CLOSE-WAIT throughout "
            f"the last 8s. Now 150 are from {LOCAL} to {HOST} port {PORT}.")
        traffic.release()
        self.wait_until_firing()


class ManyTimeWaitSockets(Outage):
    def test_many_of_many_destinations_are_nobodys_business(self):
        ports = range(20000, 20200)
        traffic = Traffic(self.addCleanup, self.stage(ports, *UNPRIVILEGED))
        destinations = [f"127.0.1.{number}" for number in range(1, 51)]
        for host in destinations:
            traffic.close_first(host, len(ports) // 4)
        sockets = 'sum(timewait_time_wait_sockets{role="client"})'
        wait_until(lambda: sum(self.prometheus.query(sockets).values()) > 10 * len(ports),
                   "Prometheus has seen them", PATIENCE_SECONDS)
        # For longer than any alert waits.
        scrapes = 'sum(count_over_time(timewait_exporter_polls_total[1m]))'
        before = sum(self.prometheus.query(scrapes).values())
        wait_until(lambda: sum(self.prometheus.query(scrapes).values()) >= before + 12,
                   "twelve more scrapes", PATIENCE_SECONDS)
        self.assertEqual(self.alertmanager.alerts(), [])
        self.assertGreater(sum(self.prometheus.query(sockets).values()), 10 * len(ports),
                           "they were there all the time")
        # And it would have been told.
        traffic.exhaust("127.0.2.1")
        self.wait_until_firing(of_own_tuple("TimewaitConnectPortsExhausted", "127.0.2.1"))


if __name__ == "__main__":
    run_tests()
