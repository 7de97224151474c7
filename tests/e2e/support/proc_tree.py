"""A copy of the parts of /proc that the daemon reads, whose files tests may break and mend."""

import os
import shutil
import stat
from pathlib import Path

_FILES = ("net/netstat", "net/snmp", "net/sockstat", "net/sockstat6", "sys/kernel/osrelease",
          "sys/net/core/somaxconn")
_SYSCTLS = "sys/net/ipv4"

# For where /proc/slabinfo is not to be read by whoever runs the tests.
_SLABINFO = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> \
: tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
tw_sock_TCP        48     64    256   16   1 : tunables    0    0    0 : slabdata      4      4    0
tcp_bind_bucket    64     64     64   64   1 : tunables    0    0    0 : slabdata      1      1    0
"""


class ProcTree:
    """The tree, and the texts to mend it with."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in _FILES:
            self._copy(name)
        for file in Path("/proc", _SYSCTLS).iterdir():
            if file.is_file() and file.stat().st_mode & stat.S_IROTH:
                self._copy(f"{_SYSCTLS}/{file.name}")
        self.put("slabinfo", _SLABINFO.encode())

    def _copy(self, name: str) -> None:
        source = Path("/proc", name)
        if source.exists():
            self.put(name, source.read_bytes())

    def text(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def put(self, name: str, text: bytes, mode: int = 0o644) -> None:
        """Makes the file anew, at once: a reader gets the old text or the new one."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        written = self.root / "being-written"
        written.write_bytes(text)
        written.chmod(mode)
        self.remove(name, only_directories=True)
        written.replace(file)

    def put_directory(self, name: str) -> None:
        """A directory where the file was."""
        self.remove(name)
        (self.root / name).mkdir()

    def put_pipe(self, name: str) -> None:
        """A pipe that nobody writes to where the file was."""
        self.remove(name)
        os.mkfifo(self.root / name)
        (self.root / name).chmod(0o644)

    def remove(self, name: str, only_directories: bool = False) -> None:
        file = self.root / name
        if file.is_dir():
            shutil.rmtree(file)
        elif not only_directories:
            file.unlink(missing_ok=True)
