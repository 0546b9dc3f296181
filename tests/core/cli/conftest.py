"""The command line over a made-up api: a project of two nodes, and runs that tell what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from rkx import api
from rkx.cli.main import cli
from rkx.errors import Problem, RkxError
from rkx.events import Event
from rkx.model.cluster import Cluster
from rkx.model.node import Node, Role
from rkx.model.plan import Plan
from rkx.registry import Plugins

BEGIN = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


def _node(name: str, address: str, *roles: Role) -> Node:
    return Node(name=name, address=address, internal_address=address, roles=frozenset(roles), transport="any")


NODES = (
    _node("one", "192.0.2.1", "controlplane", "etcd"),
    _node("two", "192.0.2.2", "worker"),
)


def numbered(*events: Event) -> list[Event]:
    """Return events numbers, and times a second apart."""
    return [
        replace(event, run="cafe", seq=number, at=BEGIN + timedelta(seconds=number - 1))
        for number, event in enumerate(events, 1)
    ]


@dataclass
class FakeApi:
    """What the api shall answer, and with which options it was asked."""

    warnings: tuple[Problem, ...] = ()
    load_error: Exception | None = None
    plan: Plan = field(default_factory=lambda: Plan(cluster="sample"))
    work: Callable[[api.Run, api.Options], None] = lambda _run, _options: None
    asked: list[api.Options] = field(default_factory=list)

    def load(self, path: Path, *, mode: str, fetch: bool = False, secrets: bool = True) -> api.Project:
        if self.load_error:
            raise self.load_error
        cluster = Cluster(name="sample", nodes=NODES, kubernetes_version="v1.34.4")
        return api.Project(path=path, cluster=cluster, plugins=Plugins([]), transports={}, warnings=self.warnings)

    def start(self, _project: api.Project, options: api.Options) -> api.Run:
        self.asked.append(options)
        return api.Run(name="cafe").start(lambda run: self.work(run, options), "up", "sample")

    def make_plan(self, _project: api.Project, options: api.Options) -> Plan:
        self.asked.append(options)
        return self.plan

    def fails_with(self, error: RkxError) -> None:
        def work(_run: api.Run, _options: api.Options) -> None:
            raise error

        self.work = work


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    made = FakeApi()
    monkeypatch.setattr(api, "load", made.load)
    monkeypatch.setattr(api, "up", made.start)
    monkeypatch.setattr(api, "remove", made.start)
    monkeypatch.setattr(api, "plan", made.make_plan)
    return made


def rkx(*arguments: str) -> Result:
    """Run the command line in this process; the standard input is no terminal."""
    return CliRunner().invoke(cli, arguments, prog_name="rkx")
