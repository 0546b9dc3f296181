"""Read cluster.yml: from bytes to a cluster, with every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from rkx.config.build import build
from rkx.config.decoder import ENOUGH, Decoder
from rkx.config.diagnostics import Diagnostics
from rkx.config.document import Document
from rkx.config.names import FORMER, nearest
from rkx.config.providers import SIX, misspelt_service
from rkx.config.read import Mode, read
from rkx.config.renames import current
from rkx.config.schema.marks import slots
from rkx.config.schema.top import ClusterKeys
from rkx.config.tree import Entry, Mark, Scalar, Table, Tree, is_empty
from rkx.errors import ConfigError, Problem
from rkx.model.cluster import Cluster


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says, where it says it, what it may not have meant, and the risks that it accepts by name."""

    cluster: Cluster
    document: Document
    warnings: tuple[Problem, ...]
    accept_risk: tuple[str, ...] = ()


def load(path: Path, *, mode: Mode = "strict", fetch: bool = False, secrets: bool = True) -> Loaded:
    """Read a cluster file.

    Raises ConfigError with all mistakes, by line. With ``mode`` warn, unknown and repeated keys are warnings, as RKE
    passed over them. ``fetch`` reads what ``addons_include`` names in the network; without it these are left out.
    Without ``secrets`` those that the file points at stay unread, and no command runs.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "name another with --file" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint=hint) from error
    return load_text(content, path, mode, fetch=fetch, secrets=secrets)


def load_text(
    text: str | bytes, path: Path, mode: Mode = "strict", *, fetch: bool = False, secrets: bool = True
) -> Loaded:
    """Read the text of a cluster file; ``path`` is where relative paths start. ConfigError lists every mistake."""
    document, problems = read(text, path, mode)
    root = _mapping(document, problems)
    renamed, renames = current(root)
    six, others = _apart(renamed)
    document = replace(document, root=renamed)
    decoder = Decoder(folder=path.parent, as_rke=True, lenient=mode == "warn", secrets=secrets)
    keys: ClusterKeys = decoder.value(ClusterKeys, six, "")
    document = document.hide(decoder.secrets)
    diags = Diagnostics(document, frozenset(_broken([*renames, *decoder.problems][:ENOUGH])))
    cluster = replace(build(keys, others, diags, fetch=fetch), has_secrets=secrets)
    found = _most([*problems, *renames, *decoder.problems, *diags.problems])
    everything = _sorted(document.place(each) for each in found)
    if errors := [problem for problem in everything if not problem.warning]:
        count = f"{len(errors)} mistake{'s' * (len(errors) > 1)}"
        raise ConfigError(f"{count} in {path}", problems=errors)
    accepted = keys.accept_risk or ()
    return Loaded(cluster=cluster, document=document, warnings=tuple(everything), accept_risk=accepted)


def _mapping(document: Document, problems: list[Problem]) -> Table:
    root = document.root
    if isinstance(root, Table) and root.entries:
        return root
    mark = root.mark
    if (isinstance(root, Scalar) and is_empty(root)) or isinstance(root, Table):
        mark = Mark(1, 1)
        message, hint = "the file is empty", "it needs at least `nodes:`; cluster.example.yml shows one"
    else:
        kind = "text" if isinstance(root, Scalar) else "sequence"
        message, hint = f"mapping expected, {kind} found", "put it under `nodes:`"
    problem = Problem(where="", message=message, hint=hint, line=mark.line, column=mark.column)
    raise ConfigError(message, hint=hint, problems=[*problems, document.place(problem)])


def _apart(root: Table) -> tuple[Table, Mapping[str, Tree]]:
    """Take the services that are none of RKE's six out of the tree; a misspelt one stays, to be refused."""
    entry = root.entries.get("services")
    if entry is None or not isinstance(entry.value, Table):
        return root, {}
    ours = {name: each for name, each in entry.value.entries.items() if name in SIX or misspelt_service(name)}
    others = {name: each.value for name, each in entry.value.entries.items() if name not in ours}
    services = Entry(Table(ours, entry.value.mark), entry.key)
    return Table({**root.entries, "services": services}, root.mark), others


def _broken(problems: Iterable[Problem]) -> Iterable[str]:
    """Name the top-level keys with errors in them, and those that a misspelt one was meant to be."""
    for problem in problems:
        name = problem.where.partition(".")[0].partition("[")[0]
        if not problem.warning:
            yield name
            if name not in slots(ClusterKeys):
                yield from (*nearest(name, slots(ClusterKeys)), FORMER.get(name, ""))


def _most(problems: list[Problem]) -> list[Problem]:
    """Keep a readable number of problems, errors before warnings."""
    if len(problems) <= ENOUGH:
        return problems
    return sorted(problems, key=lambda problem: problem.warning)[:ENOUGH]


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line == 0, problem.line, problem.column))
