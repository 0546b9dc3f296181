"""Look at and end processes by id, never by name alone: ids are reused."""

import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def read_pid(path: Path) -> int | None:
    """Return the process id that a pid file holds, None when the file is missing or no number."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def background(line: list[str], log: Path) -> int:
    """Start a program that outlives this one, its output added to a file, and return its process id."""
    with log.open("ab") as file:
        shell = ["setsid", "sh", "-c", '"$@" >&2 & echo $!', "sh", *line]
        done = subprocess.run(shell, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file, cwd="/", check=True)
    return int(done.stdout)


def lives(pid: int) -> bool:
    """Return whether a process has not ended; one that nobody waits for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def runs(pid: int | None, *words: str) -> bool:
    """Return whether this process lives and its command line contains all words."""
    if pid is None:
        return False
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bool(line) and all(word in line for word in words)


def with_words(*words: str) -> list[int]:
    """Return the ids of living processes whose command line contains all words, this one left out."""
    ids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in ids if pid != os.getpid() and runs(pid, *words)]


def control_groups() -> dict[int, str]:
    """Return the control groups of all processes, {id: text of /proc/ID/cgroup}."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                found[int(entry.name)] = (entry / "cgroup").read_text()
    return found


def end(pid: int, timeout_s: float) -> None:
    """Ask a process to end, and kill it when it still lives after the time; return when it has ended."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            if not select.select([descriptor], [], [], timeout_s)[0]:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                select.select([descriptor], [], [], 10)
        finally:
            os.close(descriptor)
