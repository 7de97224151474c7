"""The system calls that the daemon may make, and with what arguments. docs/security.md says what for."""

import re
from collections.abc import Iterator, Sequence

from support.trace import Call

_FLAGS = r"O_RDONLY(\|O_(CLOEXEC|DIRECTORY|LARGEFILE|NOCTTY|NONBLOCK))*"
# Libraries, what the kernel shows, and the time zone, which the C library wants to know even for UTC.
_FILES = r"/(proc|sys)(/[^\"]*)?|/dev/null|/etc/ld\.so\.(cache|preload)|(/usr)?/lib[^\"]*|/etc/localtime"
_DUMP_REQUEST = (r"nlmsg_len=\d+, nlmsg_type=(TCPDIAG_GETSOCK|SOCK_DIAG_BY_FAMILY), "
                 r"nlmsg_flags=NLM_F_REQUEST\|NLM_F_DUMP, ")
_STREAM = r"\d+<(TCP|TCPv6|UNIX|UNIX-STREAM):"
_OPTIONS = ("SOL_SOCKET, SO_REUSEADDR", "SOL_SOCKET, SO_SNDBUF", "SOL_SOCKET, SO_RCVBUF",
            r"SOL_SOCKET, SO_(RCV|SND)TIMEO(_OLD|_NEW)?", "SOL_SOCKET, SO_LINGER", "SOL_TCP, TCP_NODELAY",
            "SOL_IPV6, IPV6_V6ONLY")
_ANY = ""

# By name: a pattern that the arguments begin with. Alternatives are what other versions of the C library,
# and other architectures, call for the same end.
_MEMORY = {
    # Never writable and executable; shared with the kernel alone, in the ring of a perf event.
    "mmap": r"\S+, \d+, (PROT_NONE|PROT_READ|PROT_READ\|PROT_(WRITE|EXEC)), "
            r"(MAP_PRIVATE|MAP_SHARED, \d+<anon_inode:\[perf_event\]>)",
    "mprotect": r"\S+, \d+, (PROT_NONE|PROT_READ|PROT_READ\|PROT_WRITE)$",
    **dict.fromkeys(("brk", "madvise", "mremap", "munmap"), _ANY),
}
_THREADS = {
    "clone": r".*\bflags=[A-Z_|]*\bCLONE_THREAD\b",
    "clone3": r"\{flags=[A-Z_|]*\bCLONE_THREAD\b",
    "rt_sigaction": r"SIG(PIPE|RT\S*), ",
    **dict.fromkeys(("exit", "exit_group", "futex", "get_robust_list", "gettid", "membarrier", "rseq",
                     "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_yield",
                     "set_robust_list", "set_tid_address"), _ANY),
}
_TIME = dict.fromkeys(("clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep",
                       "restart_syscall", "time"), _ANY)
# What the process asks about itself and the machine.
_QUESTIONS = {
    "prlimit64": r"0, RLIMIT_\w+, NULL, ",
    **dict.fromkeys(("arch_prctl", "getpid", "getrandom", "getrlimit", "sched_getaffinity", "sysinfo",
                     "uname"), _ANY),
}
_READING = {
    "access": rf'"({_FILES})", [RF]_OK',
    "faccessat": rf'AT_FDCWD(<[^>]*>)?, "({_FILES})", [RF]_OK',
    "open": rf'"(?P<path>[^"]*)", {_FLAGS}$',
    "openat": rf'AT_FDCWD(<[^>]*>)?, "(?P<path>[^"]*)", {_FLAGS}$',
    "fcntl": r"\d+<.*>, (F_GETFD|F_SETFD, FD_CLOEXEC|F_GETFL)",
    **dict.fromkeys(("close", "fstat", "getdents64", "lseek", "lstat", "newfstatat", "pread64", "read",
                     "readlink", "readlinkat", "stat", "statx"), _ANY),
}
# The log, and wake-ups between the daemon's own threads.
_WRITING = {"write": r"(2<|\d+<anon_inode:\[eventfd\]>)"}
_SOCKETS = {
    "socket": r"AF_NETLINK, SOCK_RAW\|SOCK_CLOEXEC, NETLINK_SOCK_DIAG$"
              r"|AF_(INET|INET6|UNIX), SOCK_STREAM\|SOCK_CLOEXEC\|SOCK_NONBLOCK, (IPPROTO_IP|0)$"
              r"|AF_UNIX, SOCK_DGRAM\|SOCK_CLOEXEC, 0$",
    "sendmsg": rf"\d+<NETLINK:.*\biov_base=\[?\{{?\{{{_DUMP_REQUEST}|{_STREAM}",
    "setsockopt": rf"\d+<.*?>, ({'|'.join(_OPTIONS)}), ",
    "getsockopt": r"\d+<.*?>, SOL_SOCKET, SO_(ERROR|DOMAIN|TYPE|ACCEPTCONN), ",
    "ioctl": r"\d+<.*?>, FIONBIO, |\d+<anon_inode:\[perf_event\]>, PERF_EVENT_IOC_(SET_FILTER|ENABLE)\b",
    **dict.fromkeys(("accept", "accept4", "bind", "getpeername", "getsockname", "listen", "recvmsg", "shutdown"), _ANY),
    # What the service manager is told.
    "sendto": r'\d+<UNIX.*?>, ".*", \d+, (MSG_DONTWAIT\|)?MSG_NOSIGNAL, \{sa_family=AF_UNIX, sun_path="(?P<path>[^"]*)"\}, \d+$',
    # The file of its own Unix socket, and whether an old one is in use.
    "connect": r'\d+<UNIX.*?>, \{sa_family=AF_UNIX, sun_path="(?P<path>[^"]*)"\}, \d+$',
    "unlink": r'"(?P<path>[^"]*)"$',
    "unlinkat": r'AT_FDCWD(<[^>]*>)?, "(?P<path>[^"]*)", 0$',
}
_WAITING = dict.fromkeys(("epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "poll",
                          "ppoll", "timerfd_create", "timerfd_settime"), _ANY)
_FAILED_CONNECTS = {"perf_event_open": r"\{type=PERF_TYPE_TRACEPOINT, .*\}, -1, \d+, -1, PERF_FLAG_FD_CLOEXEC$"}

ALLOWED = {**_MEMORY, **_THREADS, **_TIME, **_QUESTIONS, **_READING, **_WRITING, **_SOCKETS, **_WAITING,
           **_FAILED_CONNECTS}


def is_allowed(call: Call, files: Sequence[str] = (), socket_file: str = "", notify_socket: str = "") -> bool:
    """Whether the list has the call with such arguments. `files` begin the paths that may be opened
    beside the usual ones; the sockets are the one that it serves on and the service manager's."""
    pattern = ALLOWED.get(call.name)
    if pattern is None or not (found := re.match(pattern, call.arguments)):
        return False
    path = found.groupdict().get("path")
    if path is None:
        return True
    if call.name in ("connect", "unlink", "unlinkat"):
        return path == socket_file
    if call.name == "sendto":
        return path == notify_socket
    return re.fullmatch(_FILES, path) is not None or path.startswith(tuple(files))


def forbidden_calls(calls: Sequence[Call], **where) -> Iterator[Call]:
    """What is not on the list. The first call is the execve() that starts the program."""
    first, *others = calls
    if first.name != "execve":
        yield first
    yield from (call for call in others if not is_allowed(call, **where))
