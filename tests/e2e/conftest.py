"""The lab's cluster for demonstrations, and the table of what was shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rkx_lab import pytest_fixture
from rkx_lab.state import Lab

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds nothing; the harness lies beside the tests

from harness import Cluster
from recorded import Recorded, bring_up
from shown import Shown, listed
from tenancy import Tenancy
from workload import Workload

lab = pytest_fixture.lab


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "demonstration(number): one of the eleven that the project shows")
    config.pluginmanager.register(Shown(config, listed()), "rkx-shown")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that want clean machines come last: the session's cluster, which the others share, ends there."""
    items.sort(key=lambda item: _turn(getattr(item, "fixturenames", ())))


def _turn(fixtures: Sequence[str]) -> int:
    return 2 if "recorded" in fixtures else 1 if {"clean_lab", "lent_lab"} & {*fixtures} else 0


@pytest.fixture(scope="session")
def tenancy(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenancy]:
    """Keep book of who has the machines."""
    tenancy = Tenancy(lab, tmp_path_factory)
    yield tenancy
    tenancy.clean()


@pytest.fixture
def cluster(tenancy: Tenancy) -> Cluster:
    """A running cluster on the lab's first three machines, for tests that leave it as they found it."""
    return tenancy.cluster()


@pytest.fixture
def work(tenancy: Tenancy) -> Workload:
    """Two pods on two workers of the session's cluster, with a Service before them."""
    return tenancy.work()


@pytest.fixture
def clean_lab(tenancy: Tenancy) -> Lab:
    """The lab with machines as new, for a test that makes and ends a cluster of its own."""
    return tenancy.lend()


@pytest.fixture(scope="module")
def lent_lab(tenancy: Tenancy) -> Lab:
    """The same for all tests of a file, which have one cluster of their own."""
    return tenancy.lend()


@pytest.fixture(scope="session")
def recorded(tenancy: Tenancy, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A cluster brought up on clean machines while all that can be seen of it was written down."""
    return bring_up(tenancy.lend(), tmp_path_factory.mktemp("recorded"))
