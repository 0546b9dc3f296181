"""The lab's cluster for demonstrations, and the table of what was shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rkx_lab.state import Lab

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds nothing; the harness lies beside the tests

from harness import Cluster, cluster_in
from shown import Shown

pytest_plugins = ["rkx_lab.pytest_fixture"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "demonstration(number): one of the eleven that the project shows")
    config.addinivalue_line("markers", "long: repetitions that only `make test-long` runs")
    config.pluginmanager.register(Shown(config), "rkx-shown")


@pytest.fixture(scope="session")
def cluster(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster on the lab's first three machines, for tests that leave it as they found it."""
    cluster = cluster_in(lab, tmp_path_factory.mktemp("cluster"), lab.machines[:3])
    started = time.monotonic()
    cluster.rkx("up", "--plain", timeout_s=600).check()
    cluster.up_took_s = time.monotonic() - started
    yield cluster
    cluster.rkx("remove", "--yes", "--plain", timeout_s=300).check()
