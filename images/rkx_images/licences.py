"""Collect the licences of what a Go program is linked from."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rkx_images.errors import BuildError
from rkx_images.golang import environment

_NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|patents)([.-].*)?", re.IGNORECASE)
_SOURCES = (".go", ".tmpl", ".tpl")
_NOT_LINKED = {"vendor", "testdata", "third_party", "LICENSES"}
SHARE = "/usr/share/licenses"


def of_program(program: Path) -> dict[str, Path]:
    """Map paths in the image to the licence files of every module linked into a program, and of Go itself."""
    cache = Path(_output("env", "GOMODCACHE").strip())
    root = Path(_output("env", "GOROOT").strip())
    found = {f"{SHARE}/go/{name}": root / name for name in ("LICENSE", "PATENTS")}
    for module, version in linked_modules(_output("version", "-m", str(program))):
        folder = cache / f"{escaped(module)}@{version}"
        if not folder.is_dir():
            raise BuildError(f"{module}@{version}: not in the module cache, so its licence cannot be kept")
        found |= {f"{SHARE}/{module}/{p.relative_to(folder)}": p for p in _licences(folder)}
    return found


def linked_modules(report: str) -> list[tuple[str, str]]:
    """Read the published modules and versions out of `go version -m`, replacements in place of the replaced."""
    found: list[tuple[str, str]] = []
    for line in report.splitlines():
        kind, *rest = line.split("\t")[1:] or [""]
        if kind in ("mod", "dep"):
            found.append((rest[0], rest[1]))
        elif kind == "=>":
            found[-1] = (rest[0], rest[1])
    return [(module, version) for module, version in found if version not in ("", "(devel)")]


def escaped(module: str) -> str:
    """Spell a module path as the module cache does: an upper-case letter is `!` and the lower-case one."""
    return re.sub("[A-Z]", lambda letter: "!" + letter[0].lower(), module)


def _licences(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        named = _NAMES.fullmatch(path.name) and path.suffix not in _SOURCES
        if named and not _NOT_LINKED & {*path.relative_to(folder).parts[:-1]} and path.is_file():
            yield path


def _output(*arguments: str) -> str:
    return subprocess.run(["go", *arguments], env=environment(), capture_output=True, text=True, check=True).stdout
