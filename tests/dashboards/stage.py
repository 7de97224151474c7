"""Three hosts, each a network namespace with a daemon, of which one runs out of ports, under one Prometheus."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from support.case import new_directory, require_tool
from support.daemon import PROGRAM, Daemon, launcher
from support.failing_connects import program_named, require_tracefs, with_tracefs
from support.prometheus import Prometheus
from support.socket_activation import handing_over

JOB = "timewait"
# A range of a thousand ports, so that a few connections a second are too many.
_NAMESPACE = """\
ip link set lo up
for last in 10 20 21 22 30 31 32; do ip address add 192.0.2.$last/32 dev lo; done
cd /proc/sys/net/ipv4
echo 32768 33767 >ip_local_port_range
for setting in $SETTINGS; do echo "${setting#*=}" >"${setting%=*}"; done
cd /
exec "$@"
"""
# Failed connects of whatever else runs on this machine.
_WITHOUT_OTHERS = """\
    metric_relabel_configs:
      - source_labels: [__name__, netns]
        regex: timewait_connect_failures_by_destination_total;(|[^s].*)
        action: drop
"""


@dataclass(frozen=True)
class Host:
    """A host by its name: what its connections do, its process, its sysctls, its daemon's flags."""

    name: str
    role: str
    process: str
    settings: str = ""
    flags: tuple[str, ...] = ()


# Failed connects are counted by the kernel for all namespaces, so one daemon alone may show them.
_ELSEWHERE = ("--no-collector.connect_failures",)
HOSTS = (
    Host("shop-1.example.net:10060", "run_out", "checkout"),
    Host("web-1.example.net:10060", "be_busy", "frontend", "tcp_fin_timeout=15", _ELSEWHERE),
    Host("batch-1.example.net:10060", "reuse", "importer", "tcp_tw_reuse=1", _ELSEWHERE),
)


def _start_traffic(cleanup: Callable, host: Host, seconds: float) -> int:
    """The process id of the connections, which stands for the namespace."""
    program = program_named(new_directory(cleanup), host.process)
    process = subprocess.Popen(
        [*launcher(), "unshare", "--net", "sh", "-ec", _NAMESPACE, "sh", program, "-B", HERE / "traffic.py",
         host.role, str(seconds)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "SETTINGS": host.settings})

    def end() -> None:
        process.kill()
        process.communicate()

    cleanup(end)
    if process.stdout.readline() != "started\n":
        raise AssertionError(f"{host.name}: its connections do not start")
    return process.pid


def _start_daemon(cleanup: Callable, host: Host, namespace: int, tracefs: Path, config: Path) -> str:
    """The address at which the daemon answers in this namespace."""
    inside = ["nsenter", f"--net=/proc/{namespace}/ns/net", PROGRAM, f"--config.file={config}",
              "--web.systemd-socket", *host.flags]
    # The socket is of the namespace in which it was made, wherever the daemon runs.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        daemon = Daemon(**handing_over(listener, command=with_tracefs(tracefs, inside)))
        cleanup(daemon.stop)
        daemon.wait_for_log(msg="listening")
        host_name, port = listener.getsockname()
    return f"{host_name}:{port}"


def _names(addresses: dict[str, str]) -> str:
    """Prometheus' configuration that makes one job of all, each target under its host's name."""
    rules = "".join(f"""\
      - source_labels: [__address__]
        regex: "{address}"
        target_label: instance
        replacement: "{name}"
""" for name, address in addresses.items())
    return (f"    relabel_configs:\n{rules}      - target_label: job\n        replacement: {JOB}\n"
            + _WITHOUT_OTHERS)


def start(cleanup: Callable, seconds: float) -> Prometheus:
    """Everything, until `cleanup`'s functions are called."""
    tracefs = new_directory(cleanup)
    require_tracefs(tracefs)
    config = new_directory(cleanup) / "config.yml"
    config.write_text("interval: 1s\n")
    addresses = {}
    for host in HOSTS:
        namespace = _start_traffic(cleanup, host, seconds)
        addresses[host.name] = _start_daemon(cleanup, host, namespace, tracefs, config)
    prometheus = Prometheus(require_tool("prometheus"), new_directory(cleanup),
                            {name.partition(".")[0]: address for name, address in addresses.items()},
                            _names(addresses))
    cleanup(prometheus.stop)
    return prometheus
