"""What a judge may look at: processes and files of each machine, objects of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Role = Literal["controlplane", "etcd", "worker"]
Object = Mapping[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or folder: ``owner`` by name, or by number where the machine has no name for it."""

    mode: int
    owner: str
    folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A program that runs: its arguments after the name, and the numbers of its user and group."""

    arguments: tuple[str, ...] = ()
    owner: str = "0:0"

    @property
    def flags(self) -> Mapping[str, str]:
        """Map each ``--name=value`` to its value; the last one counts, and one without a value is true."""
        split = [word.removeprefix("--").partition("=") for word in self.arguments if word.startswith("--")]
        return {name: value if equals else "true" for name, equals, value in split}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One node: ``texts`` are configuration files by path, none of which holds a key."""

    name: str
    roles: frozenset[Role]
    processes: Mapping[str, Process] = field(default_factory=lambda: NOTHING)
    files: Mapping[str, Entry] = field(default_factory=lambda: NOTHING)
    texts: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of a cluster: ``objects`` by kind, ``kubeconfig`` the operator's own file."""

    machines: Sequence[Machine]
    objects: Mapping[str, Sequence[Object]] = field(default_factory=lambda: NOTHING)
    kubeconfig: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check came to, and what it rests on."""

    result: Literal["pass", "fail", "manual"]
    seen: str


def judged(good: bool, seen: str) -> Verdict:
    """Return pass or fail."""
    return Verdict(result="pass" if good else "fail", seen=seen)
