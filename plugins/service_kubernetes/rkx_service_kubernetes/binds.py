"""Folders of the machine that cluster.yml gives to a container besides its own."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes import risks
from rkx_service_kubernetes.arguments import rules
from rkx_service_kubernetes.config import Program
from rkx_service_kubernetes.service_dirs import ROOT

MODES = frozenset(["ro", "rw", "z", "Z", "nocopy", "shared", "slave", "private", "rshared", "rslave", "rprivate"])
"""Of Docker's ``--volume``."""


def problems(program: str, extra: Program) -> Iterator[rkx.Problem]:
    """Find binds that Docker would refuse, that hide rkx's own files, and that hand out the machine."""
    targets: list[PurePosixPath] = []
    for number, bind in enumerate(extra.extra_binds):
        where, parts = f"services.{rules()[program]['key']}.extra_binds[{number}]", bind.split(":")
        modes = parts[2].split(",") if len(parts) > 2 else ()
        if len(parts) > 3 or not all(part.startswith("/") for part in parts[:2]) or not MODES.issuperset(modes):
            yield rkx.Problem(
                where=where, message=f"{bind!r} is not a valid bind", hint="write /folder:/folder or :ro after it"
            )
            continue
        source, target = _path(parts[0]), _path(parts[:2][-1])
        yield from _of_target(program, target, targets, where)
        yield from _of_source(program, source, where)
        targets.append(target)


def _of_target(program: str, target: PurePosixPath, others: list[PurePosixPath], where: str) -> Iterator[rkx.Problem]:
    own = ROOT / program
    if target in others:
        yield rkx.Problem(where=where, message=f"'{target}' is bound twice", hint="leave one of them out")
    elif own in (target, *target.parents):
        message = f"'{target}' would hide rkx's own files of {program}"
        yield rkx.Problem(where=where, message=message, hint=f"bind it to a place outside {own}")


def _of_source(program: str, source: PurePosixPath, where: str) -> Iterator[rkx.Problem]:
    table = risks.table()["host-root"]
    if program not in table["confined"]:
        return
    for path in map(PurePosixPath, table["paths"]):
        if source == path or source in path.parents or path in source.parents:
            what = f"'{source}'" if path in (source, *source.parents) else f"'{source}', which holds {path},"
            yield risks.problem("host-root", where, f"{what} in {program}", "bind a folder that holds nothing else")
            return


def _path(text: str) -> PurePosixPath:
    """Return a path without ``.``, ``..`` and doubled slashes; /var/run is /run wherever Docker runs."""
    path = PurePosixPath(posixpath.normpath(f"/{text.lstrip('/')}"))
    return PurePosixPath("/run") / path.relative_to("/var/run") if path.is_relative_to("/var/run") else path
