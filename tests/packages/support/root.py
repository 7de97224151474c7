"""Roots of a small Debian that has what the package depends on, and not the package."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

BASE = Path(os.environ["TIMEWAIT_BASE_ROOT"])
WORK = Path(os.environ["TIMEWAIT_WORK"])
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_numbers = itertools.count()


def package(suffix: str, upgrade: bool = False) -> Path:
    """The package whose name ends so; with `upgrade` the next version of it."""
    directory = os.environ["TIMEWAIT_UPGRADE" if upgrade else "TIMEWAIT_PACKAGES"]
    (found,) = Path(directory).glob(f"*{suffix}")
    return found


def run(*command: str, check: bool = True, **options) -> str:
    """What the command prints, errors included, without the last newline."""
    done = subprocess.run(command, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout.rstrip("\n")


def new_root(cleanup: Callable) -> Path:
    """A fresh root; `cleanup` is addCleanup or addClassCleanup."""
    directory = WORK / f"root-{next(_numbers)}"
    merged, upper, scratch = directory / "merged", directory / "upper", directory / "scratch"
    for path in (merged, upper, scratch):
        path.mkdir(parents=True)
    cleanup(shutil.rmtree, directory, ignore_errors=True)
    layers = f"lowerdir={BASE},upperdir={upper},workdir={scratch}"
    run("mount", "-t", "overlay", "-o", layers, "overlay", str(merged))
    cleanup(run, "umount", "--lazy", str(merged))
    return merged


def chroot(root: Path, *command: str, check: bool = True) -> str:
    """What the command prints that runs inside the root, where no systemd runs."""
    return run("chroot", str(root), *command, check=check, env=ENVIRONMENT)


def copy_into(root: Path, file: Path) -> str:
    """Puts the file into the root; its path there."""
    shutil.copy(file, root / "root")
    return f"/root/{file.name}"
