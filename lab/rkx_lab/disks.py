"""A full disk, without filling this computer's own."""

from rkx_lab import inside
from rkx_lab.state import Lab

FILLER = ".rkx-lab-filler"
# The folder's content moves into a small file system of its own, which is then filled to the last byte.
FILL = """set -e
mkdir -p "$1" /run/rkx-lab-disk
used=$(du -sk "$1" | cut -f1)
mount -t tmpfs -o size=$((used + 256))k,mode=$(stat -c %a "$1") rkx-lab-disk /run/rkx-lab-disk
cp -a "$1/." /run/rkx-lab-disk/
mount --move /run/rkx-lab-disk "$1" 2>/dev/null || { mount --bind /run/rkx-lab-disk "$1"; umount /run/rkx-lab-disk; }
dd if=/dev/zero of="$1/$2" bs=1k 2>/dev/null || true
"""
FREE = """set -e
rm -f "$1/$2"
mount -o remount,size=1g "$1"
"""


def fill(lab: Lab, machine: str, folder: str) -> None:
    """Leave no byte free below a folder of a machine; containers that have bound it already do not see that."""
    inside.run(lab, machine, "sh", "-c", FILL, "fill", folder, FILLER)


def free(lab: Lab, machine: str, folder: str) -> None:
    """Return space again; the folder stays in memory, with its content, until the machine is made anew or restarts."""
    inside.run(lab, machine, "sh", "-c", FREE, "free", folder, FILLER)
