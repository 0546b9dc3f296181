"""Each test has a world of its own; rkx-node is a few bytes there."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.core.reconcile.small import Site

from rkx.reconcile.state import State
from rkx.reconcile.state_file import StateFile
from rkx.testing.world import Snapshot

Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make sites: every save of the state is a change that the world counts."""
    folders = itertools.count()
    monkeypatch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
    write, sites = StateFile.save, list[Site]()

    def made(*names: str, etcd: int = 1) -> Site:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        site = Site(folder, names or ("one", "two"), etcd=etcd)
        sites.append(site)

        def save(file: StateFile, state: State) -> State:
            saved: list[State] = []
            site.world.effect("state", lambda: saved.append(write(file, state)))
            return saved[0]

        monkeypatch.setattr(StateFile, "save", save)
        return site

    yield made
    for site in sites:
        site.world.close()


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Write the module's CLUSTER into a folder."""
    file = tmp_path / "cluster.yml"
    file.write_text(request.module.CLUSTER)
    return file


class Clock:
    """The time that answers have, and that passes only when told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        """Return the present moment."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Have answers timed by a clock of the test's own."""
    clock = Clock()
    for module in ("bounds", "stream_pool"):
        monkeypatch.setattr(f"rkx.reconcile.{module}.time", clock)
    return clock


@pytest.fixture
def site(make: Make) -> Site:
    """Return a world of two nodes, with nothing on them."""
    return make()


@pytest.fixture(scope="session")
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Snapshot]:
    """Bring the cluster of two nodes up once, to be copied: only its files, events and calls are read after that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
        first = Site(tmp_path_factory.mktemp("up"))
        first.done()
        first.world.close()
    return first, first.world.snapshot()


@pytest.fixture
def running(site: Site, brought_up: tuple[Site, Snapshot]) -> Site:
    """Return a world whose cluster is up, with its counts of changes and requests at nothing."""
    first, snapshot = brought_up
    shutil.copytree(first.folder, site.folder, dirs_exist_ok=True)
    site.world.restore(snapshot)
    site.events += first.events
    site.service.calls += first.service.calls
    assert site.project.path == site.file  # read now: a test may write another cluster.yml for its own projects
    return site
