"""Clear away what an engine that died has left: processes, control groups, mounts, sockets, pid files."""

import ctypes
import os
import shutil
from contextlib import suppress
from pathlib import Path

from rkx_lab.errors import LabError
from rkx_lab.processes import control_groups, end, with_words

MNT_DETACH = 2  # sys/mount.h
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def clear(data: Path, run: Path) -> None:
    """End what runs of an engine that died, unmount what is below its folders, empty the run folder.

    Without it dockerd takes any living process with the old id for its containerd and waits for it in vain, and
    containers that lost their shim run on beside the ones that are started in their place. A control group with
    groups in it lets no container start: runc writes its rules for devices into an empty one alone.
    """
    for pid in with_words(f"{run}/exec"):
        end(pid, 5)
    for pid in of_containers(data / "data" / "containers"):
        end(pid, 0)
    remove_groups(CONTROL_GROUPS, data / "data" / "containers")
    for path in mounts_below(Path("/proc/self/mountinfo").read_text(), (data, run)):
        _unmount(path)
    shutil.rmtree(run)
    run.mkdir()


def of_containers(folder: Path) -> list[int]:
    """Return the ids of processes whose control group is that of a container kept in this folder."""
    names = _names(folder)
    return [pid for pid, groups in control_groups().items() if any(name in groups for name in names)]


def remove_groups(root: Path, folder: Path) -> None:
    """Remove the control groups below ``root``, without a process by now, of the containers kept in ``folder``."""
    names = set(_names(folder))
    for path, _folders, _files in os.walk(root, topdown=False):
        if names.intersection(Path(path).relative_to(root).parts):
            with suppress(OSError):  # one that is busy or gone: its container tells when it starts
                Path(path).rmdir()  # the kernel's own files in it are no hindrance


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.exists() else []


def mounts_below(mountinfo: str, folders: tuple[Path, ...]) -> list[str]:
    """Return the mount points below these folders, the last mounted first."""
    points = [line.split()[4] for line in mountinfo.splitlines()]
    return [point for point in reversed(points) if any(point.startswith(f"{folder}/") for folder in folders)]


def _unmount(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    plain = path.encode().decode("unicode_escape")  # mountinfo writes a blank as \040
    if libc.umount2(plain.encode(), MNT_DETACH):
        error = ctypes.get_errno()
        raise LabError(f"cannot unmount {plain}, left by an engine that died: {os.strerror(error)}")
