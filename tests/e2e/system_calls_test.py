"""The running daemon makes no system call but those on a list, all of which the systemd unit lets through.

ReadOnlyPromise in tests/live has the kernel refuse what would write, and judges each byte of the netlink
requests, but of one poll only and by a list of what is forbidden. Here the list is of what is allowed, and the
daemon serves: listeners, threads, clients, failed connects, reloads, the service manager and the end."""

import base64
import http.client
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import unittest
from contextlib import closing, suppress
from pathlib import Path

from support import client
from support.case import EndToEndTest, require_tool, run_tests, skip_or_fail, wait_until
from support.certificates import make_authority
from support.daemon import PROGRAM, Daemon
from support.failing_connects import FailingProcess, require_tracefs, with_tracefs
from support.system_calls import ALLOWED, forbidden_calls, is_allowed
from support.trace import Call, Trace, parse_line
from support.unit_filter import allowed_calls

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "timewait_exporter.service"
DOCUMENTATION = ROOT / "docs" / "security.md"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SECRET_HASHED = '"$2y$04$p2mxH8svgtfk0auAVGx1nO8/iXB9vH4uwJl3wtj1cPYyvJJE9MdhG"'
TOTAL = "timewait_connect_failures_total"
# Enough for whatever a later poll does that the first does not.
SEVERAL_POLLS = 5

# Each breaks a promise of docs/security.md by name or by an argument.
FORBIDDEN = (
    'openat(AT_FDCWD</>, "/proc/sys/net/ipv4/tcp_tw_reuse", O_WRONLY) = 9',
    'openat(AT_FDCWD</>, "/tmp/x", O_RDONLY|O_CREAT, 0644) = 9',
    'openat(AT_FDCWD</>, "/etc/shadow", O_RDONLY) = 9',
    "write(9</tmp/x>, \"x\", 1) = 1",
    "write(9<TCP:[127.0.0.1:1]>, \"x\", 1) = 1",
    'execve("/bin/sh", ["sh"], 0x7ffe /* 9 vars */) = 0',
    "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD) = 9",
    "clone3({flags=CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 9",
    "vfork() = 9",
    "ptrace(PTRACE_ATTACH, 9) = 0",
    "kill(9, SIGTERM) = 0",
    "mmap(NULL, 4096, PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f00",
    "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 9</tmp/x>, 0) = 0x7f00",
    "mprotect(0x7f00, 4096, PROT_READ|PROT_EXEC) = 0",
    "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=9, rlim_max=9}, NULL) = 0",
    "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 9",
    "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 9",
    "connect(9<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0",
    'connect(9<UNIX-STREAM:[1]>, {sa_family=AF_UNIX, sun_path="/run/other.sock"}, 110) = 0',
    "sendmsg(9<NETLINK:[SOCK_DIAG:1]>, {msg_iov=[{iov_base=[{nlmsg_len=76, nlmsg_type=SOCK_DESTROY, "
    "nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=1}]}]}, 0) = 76",
    "sendmsg(9<NETLINK:[SOCK_DIAG:1]>, {msg_iov=[{iov_base=[{nlmsg_len=76, nlmsg_type=TCPDIAG_GETSOCK, "
    "nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK, nlmsg_seq=1}]}]}, 0) = 76",
    "setsockopt(9<TCP:[1]>, SOL_SOCKET, SO_MARK, [1], 4) = 0",
    "ioctl(9<TCP:[1]>, SIOCSIFFLAGS, {ifr_name=\"lo\"}) = 0",
    'unlink("/run/other.sock") = 0',
    'sendto(9<UNIX-DGRAM:[1]>, "x", 1, MSG_NOSIGNAL, {sa_family=AF_UNIX, sun_path="/run/other.sock"}, 18) = 1',
    "sendto(9<UDP:[1]>, \"x\", 1, MSG_NOSIGNAL, {sa_family=AF_INET, sin_port=htons(53)}, 16) = 1",
)
# What no part of the system would expect of an exporter, and the unit refuses as well.
REFUSED_BY_THE_UNIT = ("bpf", "chroot", "delete_module", "finit_module", "init_module", "kexec_load", "mount",
                       "open_by_handle_at", "pivot_root", "ptrace",
                       "reboot", "setgroups", "settimeofday", "setuid", "swapon", "umount2")


def require_strace() -> None:
    require_tool("strace")
    probe = subprocess.run(["strace", "--output=/dev/null", "true"], capture_output=True, text=True,
                           timeout=10, check=False)
    if probe.returncode != 0:
        skip_or_fail(f"nothing can be traced here: {probe.stderr.strip()}")


class SystemCallList(unittest.TestCase):
    def test_has_nothing_that_the_daemon_promises_not_to_do(self):
        for line in FORBIDDEN:
            with self.subTest(line):
                self.assertFalse(is_allowed(parse_line(line), files=("/run/e2e",), socket_file="/run/own.sock",
                                            notify_socket="/run/notify.sock"))

    def test_is_the_documented_one(self):
        section = DOCUMENTATION.read_text().partition("## System calls")[2].partition("\n\nNot all")[0]
        rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")]
        documented = re.findall(r"`(\w+)`", " ".join(rows))
        self.assertEqual(sorted(documented), sorted(ALLOWED))

    def test_is_let_through_by_the_systemd_unit(self):
        require_tool("systemd-analyze")
        allowed = allowed_calls(UNIT)
        self.assertEqual(set(ALLOWED) - allowed, set(), f"{UNIT.name} refuses what the daemon may call")
        self.assertEqual(allowed & set(REFUSED_BY_THE_UNIT), set())


class SystemCalls(EndToEndTest):
    def setUp(self) -> None:
        require_strace()
        self.files = self.directory()
        self.config = self.files / "config.yaml"
        self.config.write_text("interval: 100ms\n")
        self.socket_file = f"{self.files}/metrics.sock"
        self.service_manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.service_manager.close)
        self.service_manager.bind(f"{self.files}/notify.sock")
        self.trace = Trace(self.directory())
        self.mounts: list[str] = []

    def start_traced(self, command: list[str]) -> Daemon:
        environment = os.environ | {"NOTIFY_SOCKET": self.service_manager.getsockname()}
        return self.start(f"--config.file={self.config}", "--web.listen-address=127.0.0.1:0",
                          f"--web.listen-address=unix:{self.socket_file}", command=command, env=environment)

    def leave_a_stale_socket(self) -> None:
        with socket.socket(socket.AF_UNIX) as abandoned:
            abandoned.bind(self.socket_file)

    def polls(self, running: Daemon) -> float:
        return running.scrape().value("timewait_exporter_polls_total") or 0

    def assert_allowed_until_its_end(self, running: Daemon) -> set[str]:
        """Stops it. The names of all calls that it made."""
        running.stop()
        calls = self.trace.calls()
        where = {"files": (str(self.files), *self.mounts), "socket_file": self.socket_file,
                 "notify_socket": self.service_manager.getsockname()}
        forbidden = {str(call) for call in forbidden_calls(calls, **where)}
        self.assertEqual(forbidden, set(), "calls that are not in support/system_calls.py")
        return {call.name for call in calls}

    def scrape_in_every_way(self, running: Daemon) -> None:
        self.assert_status(running.get(), 200)
        self.assert_status(running.get(Accept_Encoding="gzip"), 200)
        self.assert_status(running.get(Accept=OPENMETRICS), 200)
        self.assert_status(running.get("/metrics?collect[]=netstat"), 200)
        self.assert_status(running.get("/metrics?collect[]=unknown"), 400)
        for target, status in (("/", 200), ("/-/healthy", 200), ("/elsewhere", 404)):
            self.assert_status(running.get(target), status)
        self.assert_status(client.request(running.address, "/metrics", method="HEAD"), 200)
        self.assert_status(client.request(f"unix:{self.socket_file}", "/metrics"), 200)

    def fail_in_several_ways(self, running: Daemon) -> None:
        with client.open_socket(running.address) as garbage:
            garbage.sendall(b"\0\1\2 no HTTP\r\n\r\n")
            client.receive_all(garbage)
        with client.open_socket(running.address) as half_a_request:
            half_a_request.sendall(b"GET /metrics HT")
        with client.open_socket(running.address) as reset:
            reset.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def reload(self, running: Daemon, config: str, outcome: str) -> None:
        self.config.write_text(config)
        os.kill(running.pid, signal.SIGHUP)
        running.wait_for_log(msg=outcome)

    def notifications(self) -> list[str]:
        """What the service manager has been told."""
        self.service_manager.setblocking(False)
        found = []
        with suppress(BlockingIOError):
            while True:
                found += self.service_manager.recv(4096).decode().splitlines()
        return found

    def test_polls_and_clients_need_no_other_than_those_on_the_list(self):
        self.leave_a_stale_socket()
        running = self.start_traced(self.trace.of([PROGRAM]))
        idle = client.open_socket(running.address)
        self.addCleanup(idle.close)
        self.scrape_in_every_way(running)
        self.fail_in_several_ways(running)
        self.reload(running, "interval: 50ms\n", "configuration reloaded")
        self.reload(running, "interval: never\n", "configuration not reloaded, the last one stays")
        wait_until(lambda: self.polls(running) > SEVERAL_POLLS, "it has polled several times")
        self.assertIn("READY=1", self.notifications())
        called = self.assert_allowed_until_its_end(running)
        self.assertLessEqual({"sendmsg", "sendto", "connect", "unlink", "exit_group"}, called)

    def test_nor_do_tls_and_passwords(self):
        authority = make_authority(self.files)
        web = self.files / "web.yml"
        web.write_text("tls_server_config: { cert_file: server.crt, key_file: server.key }\n"
                       f"basic_auth_users: {{ alice: {SECRET_HASHED} }}\n")
        running = Daemon.on_loopback(f"--config.file={self.config}", f"--web.config.file={web}",
                                     command=self.trace.of([PROGRAM]))
        self.addCleanup(running.stop)
        context = ssl.create_default_context(cafile=authority.path("ca.crt"))
        for password, status in (("secret", 200), ("guessed", 401)):
            credentials = base64.b64encode(f"alice:{password}".encode()).decode()
            connection = http.client.HTTPSConnection(*client.split_address(running.address), timeout=10,
                                                     context=context)
            with closing(connection):
                reply = client.exchange(connection, "GET", "/metrics", {"Authorization": f"Basic {credentials}"})
            self.assert_status(reply, status)
        with client.open_socket(running.address) as no_handshake:
            no_handshake.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.receive_all(no_handshake)
        self.assert_allowed_until_its_end(running)

    def test_nor_do_failed_connects(self):
        tracefs = self.directory()
        require_tracefs(tracefs)
        self.mounts.append(str(tracefs))
        running = self.start_traced(with_tracefs(tracefs, self.trace.of([PROGRAM])))
        if running.scrape().value("timewait_connect_failures_available") != 1:
            skip_or_fail("no perf event may be opened here")
        before = running.scrape().value(TOTAL)
        FailingProcess(self.addCleanup, self.directory(), "traced").fail(3)
        wait_until(lambda: running.scrape().value(TOTAL) >= before + 4, "the failed connects are counted")
        called = self.assert_allowed_until_its_end(running)
        self.assertLessEqual({"perf_event_open", "ppoll"}, called)


if __name__ == "__main__":
    run_tests()
