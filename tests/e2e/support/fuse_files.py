"""A directory of files whose reads fail or hang for real: a FUSE file system (fs/fuse/dev.c,
include/uapi/linux/fuse.h), mounted where only this process and its children see it."""

import ctypes
import errno
import os
import stat
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from support.case import skip_or_fail

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x20000
_MS_REC_PRIVATE = 0x44000
_MNT_DETACH = 2

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _INIT, _INTERRUPT, _BATCH_FORGET = 1, 2, 3, 14, 15, 26, 36, 42
_WITHOUT_REPLY = (_FORGET, _INTERRUPT, _BATCH_FORGET)
_DIRECT_IO = 1
_REQUEST_BYTES = 1 << 17
_HEADER = struct.Struct("<IIQQIIIHH")
_ROOT = 1


def _mount(device: int, directory: Path) -> None:
    if _LIBC.unshare(_CLONE_NEWNS) != 0:
        skip_or_fail(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    _LIBC.mount(None, b"/", None, _MS_REC_PRIVATE, None)  # fails in a chroot, where / is no mount
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if _LIBC.mount(b"test", bytes(directory), b"fuse", 0, options.encode()) != 0:
        skip_or_fail(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")


class FuseFiles:
    """Files of one directory, each read as its text is at that moment."""

    def __init__(self, cleanup: Callable, directory: Path) -> None:
        self.texts = {file.name: file.read_bytes() for file in directory.iterdir()}
        self.error = 0  # the errno of every read, or 0
        self._names = sorted(self.texts)
        self._may_answer = threading.Event()
        self._may_answer.set()
        self.asked = threading.Event()  # something waits while `hang` is in force
        try:
            self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            skip_or_fail(f"/dev/fuse: {error.strerror}")
        _mount(self._device, directory)
        cleanup(self._end, directory)
        threading.Thread(target=self._serve, daemon=True).start()

    def hang(self) -> None:
        """From now on nothing is answered until `go_on`."""
        self.asked.clear()
        self._may_answer.clear()

    def go_on(self) -> None:
        self._may_answer.set()

    def _end(self, directory: Path) -> None:
        self.go_on()
        _LIBC.umount2(bytes(directory), _MNT_DETACH)

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, _REQUEST_BYTES)
            except InterruptedError:
                continue
            except OSError:  # unmounted
                return
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
        if opcode in _WITHOUT_REPLY:
            return
        if opcode == _READ and not self._may_answer.is_set():
            self.asked.set()
            self._may_answer.wait()
        reply = self._reply(opcode, node, request[_HEADER.size:])
        error, body = (-reply, b"") if isinstance(reply, int) else (0, reply)
        try:
            os.write(self._device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        except OSError:  # whoever asked has gone
            pass

    def _reply(self, opcode: int, node: int, body: bytes) -> bytes | int:
        """What goes back, or an errno."""
        if opcode == _INIT:
            return struct.pack("<IIIIHHII", 7, 31, 0, 0, 16, 12, 4096, 1) + bytes(36)
        if opcode == _LOOKUP:
            name = body.rstrip(b"\0").decode()
            if name not in self._names:
                return errno.ENOENT
            number = self._names.index(name) + 2
            return struct.pack("<QQQQII", number, 0, 0, 0, 0, 0) + self._attributes(number)
        if opcode == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
        if opcode == _OPEN:
            return struct.pack("<QII", 0, _DIRECT_IO, 0)
        if opcode == _READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            text = self.texts[self._names[node - 2]]
            return self.error or text[offset:offset + size]
        return errno.ENOSYS

    def _attributes(self, node: int) -> bytes:
        mode = stat.S_IFDIR | 0o755 if node == _ROOT else stat.S_IFREG | 0o444
        return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)
