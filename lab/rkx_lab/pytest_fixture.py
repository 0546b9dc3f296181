"""Return tests a lab for the session: import `lab` and `clean_lab` in a conftest.

RKX_LAB names a lab that is up already, which is then used and left; RKX_LAB_NODES says how many machines a lab of
the session's own has (4: three for a cluster, one to add).
"""

import os
from collections.abc import Iterator

import pytest

from rkx_lab import machines
from rkx_lab.processes import lives
from rkx_lab.state import Lab, load

OWN = "test-"  # the name of a session's own lab is this and the session's process id


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Bring up machines for this run's tests, and remove them at its end."""
    if name := os.environ.get("RKX_LAB"):
        yield load(name)
        return
    name = f"{OWN}{os.getpid()}"
    for abandoned in sorted(_abandoned()):
        machines.down(abandoned)
    try:
        yield machines.up(name, int(os.environ.get("RKX_LAB_NODES", "4")))
    finally:
        machines.down(name)


@pytest.fixture
def clean_lab(lab: Lab) -> Lab:
    """Make all machines anew before a test."""
    machines.clean(lab)
    return lab


def _abandoned() -> set[str]:
    names = machines.names()  # a session that was killed could not end its lab
    return {name for name in names if name.startswith(OWN) and not lives(int(name.removeprefix(OWN)))}
