"""Stops threads and holds them as if they hung in the kernel, until their process ends.

Usage: stop_threads.py TID...    prints "stopped" once all of them are
"""

import ctypes
import os
import sys

PTRACE_INTERRUPT = 0x4207
PTRACE_SEIZE = 0x4206
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request: int, tid: int) -> None:
    if libc.ptrace(request, tid, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), f"ptrace of {tid}")


def main() -> None:
    for tid in map(int, sys.argv[1:]):
        ptrace(PTRACE_SEIZE, tid)
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
    print("stopped", flush=True)
    # A traced thread is only gone when its tracer has heard of it.
    while True:
        try:
            os.waitpid(-1, WALL)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
