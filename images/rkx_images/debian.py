"""Make a layer out of Debian packages."""

import tarfile
from pathlib import Path

from rkx_images.catalogue import Image
from rkx_images.command import run

# Copyright files stay: they are the licences of what is handed on.
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/doc/*")
_DROPPED = ("dev/", "var/cache/", "var/lib/apt/lists/", "var/log/", "run/")


def build(image: Image, suite: str, layer: Path) -> None:
    """Install an image's packages into a fresh tree, run its hooks there, and write the tree as a layer."""
    raw = layer.with_suffix(".raw")
    argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(image.packages)}"]
    argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    argv += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    argv += [f'--customize-hook=chroot "$1" sh -ec "{command}"' for command in image.customize]
    run([*argv, "--format=tar", suite, str(raw)], cwd=layer.parent)
    _without_leftovers(raw, layer)
    raw.unlink()


def _without_leftovers(raw: Path, layer: Path) -> None:
    """Copy a tree without devices, caches and logs; a container gets its own /dev and /run."""
    with tarfile.open(raw, "r:") as old, tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            member.name = member.name.removeprefix("./")
            if member.name in ("", ".") or member.name.startswith(_DROPPED):
                continue
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
