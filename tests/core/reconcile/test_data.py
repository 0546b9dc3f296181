"""What a cluster wrote is neither begun anew where it is gone, nor written over where it is another's."""

from __future__ import annotations

import pytest
from tests.core.reconcile.small import DATA, Site

from rkx.errors import Refused
from rkx.testing.machine import Entry

MEMBER = f"{DATA}/member"


@pytest.fixture
def keeping(site: Site) -> Site:
    site.service.keeps_data = True
    return site


def put(site: Site, *names: str) -> None:
    machine = site.world.machines["one"]
    machine.make_folder(DATA)
    machine.files.update({f"{DATA}/{name}": Entry(content=b"") for name in names})


@pytest.mark.whole
def test_a_missing_container_comes_back_to_its_data(keeping: Site) -> None:
    keeping.done()
    put(keeping, "lost+found", "member")
    keeping.world.revive()
    keeping.world.engines["one"].boxes.pop("server")
    assert ("create", "one container server", "missing") in keeping.planned()
    keeping.done()


@pytest.mark.whole
def test_data_that_is_gone_is_not_begun_anew(keeping: Site) -> None:
    keeping.done()
    put(keeping, "lost+found")
    keeping.world.revive()
    keeping.world.engines["one"].boxes.pop("server")
    with pytest.raises(Refused, match="one: /var/lib/tiny of server is empty: the cluster's data is gone"):
        keeping.plan()
    run = keeping.up()
    assert (run.exit_code, "server" in keeping.world.engines["one"].boxes) == (8, False)


@pytest.mark.whole
def test_a_first_run_that_was_cut_before_anything_was_stored_goes_on(keeping: Site) -> None:
    keeping.world.servers.clear()
    keeping.service.patience_s = 0.2
    assert keeping.up().exit_code
    keeping.world.engines["one"].boxes.pop("server")
    assert ("create", "one container server", "missing") in keeping.planned()


@pytest.mark.whole
def test_data_of_another_cluster_is_not_taken_over(keeping: Site) -> None:
    put(keeping, "member")
    run = keeping.up()
    assert isinstance(run.error, Refused)
    assert "/var/lib/tiny of server holds data that this cluster did not write" in run.error.message
    assert "server" not in keeping.world.engines["one"].boxes
    assert keeping.remove().error is None
    assert MEMBER in keeping.world.machines["one"].files


@pytest.mark.whole
def test_an_empty_disk_is_nobodys_data(keeping: Site) -> None:
    put(keeping, "lost+found")
    keeping.done()
