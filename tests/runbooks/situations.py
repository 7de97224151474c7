"""What is staged for which page."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import connections
from host import CLIENT, DATABASE, HOST, LISTEN, SERVICE, Host
from support.daemon import run
from support.fuse_files import FuseFiles
from support.proc_tree import ProcTree

Stage = Callable[[Host], None]
STAGES: dict[str, Stage] = {}
# What fails until the remedies of the page are done.
RELIEF: dict[str, Callable[[], object]] = {
    "TimewaitConnectFailures": lambda: connections.open_one(SERVICE, 80),
    "advice": lambda: connections.open_one(SERVICE, 80),
    "TimewaitExporterDown": lambda: connections.open_one(*LISTEN.split(":")),
}
# A range that is used up in a moment.
FEW_PORTS = "32768 33767"


def stages(*pages: str) -> Callable[[Stage], Stage]:
    def register(stage: Stage) -> Stage:
        STAGES.update(dict.fromkeys(pages, stage))
        return stage
    return register


# --- who connects

def open_until_full(listener, open_ones: int) -> list:
    """Uses up the ports towards a destination; the most go to TIME-WAIT."""
    held = [connections.connect(listener) for _ in range(open_ones)]
    held += connections.leave_close_wait(listener, 10)
    while True:
        try:
            connections.close(*connections.connect(listener))
        except connections.NoPort:
            return held


@stages("TimewaitConnectFailures", "TimewaitConnectPortsExhausted")
def exhausted_destination(host: Host) -> None:
    host.mount_tracefs()
    host.sysctl(ip_local_port_range=FEW_PORTS, tcp_tw_reuse=0)
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: open_until_full(listener, 30),
                       connections.try_to_connect)
    host.start_process("reports", (DATABASE, 5432),
                       lambda listener: [connections.connect(listener) for _ in range(5)])
    host.start_exporter()


@stages("advice", "README")
def exhausted_destination_of_a_service(host: Host) -> None:
    exhausted_destination(host)
    host.daemon.wait_for_log(msg="advice", rule="ephemeral_range_narrow")
    add_running_service(host)


@stages("TimewaitConnectPortsNearlyExhausted", "TimewaitConnectPortsExhaustionPredicted",
        "TimewaitConnectPreferredPortsExhausted")
def filling_destination(host: Host) -> None:
    host.sysctl(ip_local_port_range=FEW_PORTS, tcp_tw_reuse=0)

    def begin(listener) -> list:
        held = [connections.connect(listener) for _ in range(30)]
        held += connections.leave_close_wait(listener, 10)
        connections.leave_time_wait(listener, 780)
        return held

    host.start_process("gunicorn", (SERVICE, 80), begin, connections.try_to_connect, pause=0.1)
    host.start_exporter()


@stages("TimewaitConnectDependsOnTimeWaitReuse")
def destination_that_lives_on_reuse(host: Host) -> None:
    host.sysctl(ip_local_port_range=FEW_PORTS, tcp_tw_reuse=1)
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: connections.leave_time_wait(listener, 490),
                       connections.try_to_connect, pause=0.005)
    host.start_exporter()


@stages("TimewaitTimeWaitReuseNotHappening")
def peer_without_timestamps(host: Host) -> None:
    host.sysctl(ip_local_port_range=FEW_PORTS, tcp_tw_reuse=1, tcp_timestamps=0)
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: open_until_full(listener, 30),
                       connections.try_to_connect)
    host.sysctl(tcp_timestamps=1)
    host.start_exporter()


@stages("TimewaitBindPortsNearlyExhausted", "TimewaitEphemeralPortsBlocked", "ephemeral_ports_blocked_by_bind")
def bound_source_address(host: Host) -> None:
    host.sysctl(ip_local_port_range=FEW_PORTS, tcp_tw_reuse=0)

    def begin(listener) -> list:
        held = [connections.connect(listener, source=HOST) for _ in range(300)]
        connections.leave_time_wait(listener, 600, source=HOST)
        return held

    host.start_process("egress-proxy", (SERVICE, 80), begin)
    host.start_exporter()


@stages("ephemeral_range_narrow")
def narrow_range(host: Host) -> None:
    host.sysctl(ip_local_port_range=FEW_PORTS, ip_local_reserved_ports="10060")
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: connections.leave_time_wait(listener, 600))
    host.start_process("kube-proxy", (HOST, 30080), lambda listener: None)
    host.start_exporter()


@stages("TimewaitListenerInsideEphemeralRange", "listener_inside_ephemeral_range")
def listener_inside_range(host: Host) -> None:
    host.sysctl(ip_local_reserved_ports="10060")
    host.start_process("jmx-agent", (HOST, 40000), lambda listener: None)
    host.start_exporter()


# --- who accepts

@stages("TimewaitServerQuadrupletsNearlyExhausted")
def client_with_many_quadruplets(host: Host) -> None:
    def begin(listener) -> list:
        held = [connections.connect(listener, source=CLIENT) for _ in range(40)]
        connections.leave_time_wait_of_server(listener, 900, source=CLIENT)
        return held

    host.start_process("nginx", (HOST, 443), begin)
    host.start_exporter(collectors="collectors: { sock_diag: { server_assumed_remote_ports: 1000 } }\n")


@stages("tcp_tw_reuse_enabled_on_server_only")
def server_with_reuse(host: Host) -> None:
    host.sysctl(tcp_tw_reuse=1)
    host.put("/etc/sysctl.d/50-tuning.conf", "net.ipv4.tcp_tw_reuse = 1\n")
    host.start_process("nginx", (HOST, 443),
                       lambda listener: connections.leave_time_wait_of_server(listener, 200, source=CLIENT))
    host.start_exporter()


# --- the limit of TIME-WAIT

@stages("TimewaitBucketLimitNear", "TimewaitBucketOverflow", "time_wait_bucket_limit_near",
        "time_wait_bucket_limit_low")
def full_bucket_table(host: Host) -> None:
    host.sysctl(tcp_max_tw_buckets=1000)
    host.put("/etc/sysctl.d/50-tuning.conf", "net.ipv4.tcp_max_tw_buckets = 1000\n")
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: connections.leave_time_wait(listener, 1005),
                       connections.try_to_connect)
    host.start_exporter()


# --- how connections end

@stages("TimewaitCloseWaitAccumulating", "close_wait_accumulating")
def leaked_connections(host: Host) -> None:
    host.start_process("payments", (DATABASE, 5432), lambda listener: connections.leave_close_wait(listener, 150),
                       lambda listener: connections.leave_close_wait(listener, 1), pause=0.5)
    host.start_exporter()


@stages("linger_resets")
def resets(host: Host) -> None:
    host.start_process("health-check", (SERVICE, 80), lambda listener: None,
                       lambda listener: connections.reset(*connections.connect(listener)))
    host.start_exporter()


@stages("tcp_rfc1337_off_reset_risk")
def many_time_wait(host: Host) -> None:
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: connections.leave_time_wait(listener, 1100))
    host.start_exporter()


@stages("fin_timeout_does_not_shorten_time_wait")
def short_fin_timeout(host: Host) -> None:
    host.sysctl(tcp_fin_timeout=15)
    host.put("/etc/sysctl.d/50-tuning.conf", "net.ipv4.tcp_fin_timeout = 15\n")

    def half_close(listener) -> list:
        connections.leave_time_wait(listener, 1)
        return connections.leave_fin_wait2(listener, 1)

    host.start_process("gunicorn", (SERVICE, 80), half_close, half_close, pause=0.5)
    host.start_exporter()


# --- sysctls

@stages("tcp_tw_reuse_without_timestamps")
def reuse_without_timestamps(host: Host) -> None:
    host.sysctl(tcp_tw_reuse=1, tcp_timestamps=0)
    host.put("/etc/sysctl.d/50-tuning.conf", "net.ipv4.tcp_tw_reuse = 1\nnet.ipv4.tcp_timestamps = 0\n")
    host.start_process("gunicorn", (SERVICE, 80), lambda listener: connections.leave_time_wait(listener, 20))
    host.start_exporter()


@stages("TimewaitTcpTwRecycleEnabled", "TimewaitPawsRejectionsWithRecycle", "tcp_tw_recycle_enabled")
def recycle_of_an_old_kernel(host: Host) -> None:
    """Files as Linux 4.11 and earlier have them, with a counter that rises; the sockets are this kernel's."""
    host.put("/etc/sysctl.d/50-tuning.conf", "net.ipv4.tcp_tw_recycle = 1\n")
    tree = ProcTree(host.directory / "proc")
    tree.put("sys/net/ipv4/tcp_tw_recycle", b"1\n")
    tree.put("sys/kernel/osrelease", b"3.16.0-11-amd64\n")
    host.replace_sysctls(tree.root / "sys/net/ipv4")
    rejected = 4711

    def count(_listener) -> None:
        nonlocal rejected
        rejected += 1
        tree.put("net/netstat", with_field(Path("/proc/net/netstat").read_text(), "PAWSPassive", rejected))

    host.replace_netstat(tree.root / "net/netstat")
    host.start_process("kernel", (SERVICE, 80), count, count, pause=0.1)
    host.start_exporter(f"--path.procfs={tree.root}")


def with_field(netstat: str, field: str, value: int) -> bytes:
    """/proc/net/netstat with one more field of TcpExt."""
    names, values, *others = netstat.splitlines(keepends=True)
    return "".join([f"{names.rstrip()} {field}\n", f"{values.rstrip()} {value}\n", *others]).encode()


# --- the exporter itself

def add_service(host: Host) -> None:
    """systemd's tools for a service that is the staged exporter: its log, and a restart of it with all
    privileges and no flag."""
    host.put("/etc/timewait_exporter/config.yml", "interval: 200ms\n")
    log = host.directory / "journal"
    log.touch()
    host.add_tool("journalctl", f'[ "$2" = timewait_exporter ] && cat {log}')
    host.add_tool("systemctl", f"""\
[ "$2" = timewait_exporter ] || exit 5
case "$1" in
  show) echo ActiveState=$(cat {host.directory}/state); echo NRestarts=0 ;;
  restart)
    [ ! -f {host.directory}/pid ] || kill $(cat {host.directory}/pid)
    while ss -tlnH 'sport = :10060' | grep -q .; do sleep 0.05; done
    timewait_exporter --web.listen-address={LISTEN} --config.file=/etc/timewait_exporter/config.yml \\
      </dev/null >/dev/null 2>>{log} &
    echo $! >{host.directory}/pid
    echo active >{host.directory}/state
    until curl -so /dev/null localhost:10060/-/ready; do sleep 0.05; done ;;
  *) exit 1 ;;
esac""")


def add_running_service(host: Host) -> None:
    """The same where it runs already."""
    add_service(host)
    (host.directory / "state").write_text("active")
    (host.directory / "pid").write_text(str(host.daemon.pid))
    (host.directory / "journal").write_text("\n".join(host.daemon.raw_log) + "\n")


@stages("TimewaitExporterDown")
def exporter_that_does_not_run(host: Host) -> None:
    host.start_process("reports", (SERVICE, 80), lambda listener: connections.connect_from(listener, HOST, 10060))
    add_service(host)
    (host.directory / "journal").write_text(run("--web.listen-address=:10060").stderr)
    (host.directory / "state").write_text("failed")


@stages("TimewaitCollectorFailing")
def exporter_without_privileges(host: Host) -> None:
    host.mount_tracefs()
    host.replace_sysctl("/proc/sys/kernel/perf_event_paranoid", "3\n")
    shutil.copy(os.environ["TIMEWAIT_PROGRAM"], host.directory / "program")
    host.start_exporter(as_nobody=True, command=[str(host.directory / "program")])
    add_running_service(host)


@stages("TimewaitSnapshotStale")
def exporter_that_hangs(host: Host) -> None:
    tree = ProcTree(host.directory / "proc")
    files = FuseFiles(host.at_end, tree.root / "net")
    host.start_exporter(f"--path.procfs={tree.root}")
    files.hang()
    host.at_end(files.go_on)
    add_running_service(host)
