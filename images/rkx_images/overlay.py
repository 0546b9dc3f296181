"""Build with changed files of Go's own library: for programs that tests alone run."""

import json
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

from rkx_images.errors import BuildError


def write(folder: Path, work: Path) -> Path:
    """Write what ``go build -overlay`` reads into ``work``: the Go files of ``folder``, and what overlay.toml edits."""
    library = Path(_go_root()) / "src"
    own = {str(library / path.relative_to(folder)): str(path) for path in sorted(folder.rglob("*.go"))}
    edits = tomllib.loads((folder / "overlay.toml").read_text())
    changed = {str(library / name): str(_edited(library / name, each, work)) for name, each in edits.items()}
    listing = work / "overlay.json"
    listing.write_text(json.dumps({"Replace": own | changed}))
    return listing


def _edited(source: Path, edits: Mapping[str, str], work: Path) -> Path:
    text = source.read_text()
    for before, after in edits.items():
        if text.count(before) != 1:
            raise BuildError(f"{source}: {before.strip()!r} stands there {text.count(before)} times, not once")
        text = text.replace(before, after)
    target = work / f"{source.parent.name}-{source.name}"
    target.write_text(text)
    return target


def _go_root() -> str:
    return subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
