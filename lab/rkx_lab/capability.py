"""Find out whether containers on this computer need the wrapper around runc."""

from pathlib import Path

SYS_RESOURCE = 24  # linux/capability.h


def lacks_sys_resource(status: str) -> bool:
    """Tell from the text of /proc/self/status whether CAP_SYS_RESOURCE is out of the bounding set."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return not int(line.split()[1], 16) >> SYS_RESOURCE & 1
    return False


def needs_wrapper() -> bool:
    """Return whether `--privileged` fails here without the wrapper ("unable to apply caps")."""
    return lacks_sys_resource(Path("/proc/self/status").read_text())
