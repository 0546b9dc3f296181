"""Another cluster.yml beside the same state meets the others' lock, and their copies of the state."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site
from tests.core.reconcile.test_copies import plant
from tests.core.reconcile.test_followed import colleague, foreign

from rkx import api
from rkx.errors import Locked, Refused
from rkx.reconcile.holder import Holder
from rkx.reconcile.state import State
from rkx.reconcile.state_json import dump
from rkx.testing.container import Box

pytestmark = pytest.mark.whole


def willing(site: Site, *unreachable: str) -> api.Run:
    """Bring it up with every question answered yes."""
    options = api.Options(accept=lambda dangers: True, allow_unreachable=frozenset(unreachable))
    return site.ended(api.up(site.project, options))


COMMANDS: dict[str, Callable[[Site], api.Run]] = {"up": willing, "remove": Site.remove}


def turned(site: Site) -> Site:
    """Return another operator with the same state, whose file makes other nodes etcd and control plane."""
    other = colleague(site)
    for file in site.folder.glob("*.rkxstate*"):
        shutil.copy(file, other.folder)
    text = site.file.read_text()
    roles = re.findall(r"role: (\[.*\])", text)
    other.file.write_text(re.sub(r"role: \[.*\]", lambda _: f"role: {roles.pop()}", text))
    return other


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_with_other_roles_passes_no_lock(running: Site, command: str) -> None:
    other = turned(running)
    running.world.engines["one"].boxes["rkx-lock"] = foreign(running)
    running.world.effects.clear()
    run = COMMANDS[command](other)
    assert isinstance(run.error, Locked)
    assert "one: run theirs" in run.error.message
    assert {effect.rpartition(" ")[2] for effect in running.world.effects} == {"rkx-lock"}  # its own, given back


def test_a_majority_of_the_nodes_that_the_state_names_is_wanted_too(make: Make) -> None:
    site = make("one", "two", "three", "four", etcd=3)
    site.done()
    other = turned(site)  # four, three and two in its file
    site.world.silent |= {"one", "two"}
    run = willing(other, "one", "two")
    assert isinstance(run.error, Locked)
    assert "2 of the 3 nodes" in run.error.message


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_with_other_roles_hides_no_later_state(running: Site, command: str) -> None:
    other = turned(running)
    running.service.flag = "--level=2"
    running.done()
    running.world.revive()
    error = COMMANDS[command](other).error
    assert isinstance(error, Refused)
    assert f"is older than {running.state.generation} on one" in error.message
    assert (running.world.effects, running.world.changes()) == ([], [])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_without_nodes_that_keep_the_lock_takes_no_state_from_copies(make: Make, command: str) -> None:
    site = make("one", "two", "three", "four", etcd=3)
    site.done()
    for name in ("two", "three"):
        site.world.engines[name].boxes["rkx-lock"] = foreign(site)
    other = colleague(site)
    lines = site.file.read_text().splitlines(keepends=True)
    other.file.write_text(
        "".join(each for each in lines if "override: two" not in each and "override: three" not in each)
    )
    site.world.effects.clear()
    error = COMMANDS[command](other).error
    assert isinstance(error, Refused)
    assert "name three, two among the nodes that keep the cluster's lock" in error.message
    assert site.world.effects == []


def test_a_workers_word_stops_no_birth(site: Site) -> None:
    labels = {**Holder.here("theirs", 9).labels, "rkx.machine": "another", "rkx.cluster": "cafe"}
    site.world.engines["two"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "x", "Labels": labels})
    run = site.up("two")
    assert run.exit_code == 7
    assert "two carries containers of another cluster" in str(run.error)
    assert site.world.engines["one"].running("server")


def beside(site: Site, **changes: object) -> State:
    """Return a sealed state that differs from the site's."""
    return replace(site.state, **changes)


@pytest.mark.parametrize("later", [-1, 0])
def test_a_state_of_a_run_that_this_one_does_not_know_is_refused_whatever_its_generation(
    running: Site, later: int
) -> None:
    twin = beside(running, run="other", generation=running.state.generation + later)
    plant(running, "one", dump(twin))
    running.service.flag = "--level=2"
    running.world.revive()
    error = running.up().error
    assert isinstance(error, Refused)
    assert f"run {running.state.run} wrote it, and one has a copy of run other" in error.message
    assert (running.world.effects, running.world.changes()) == ([], [])


def test_the_copy_of_an_earlier_run_is_followed(running: Site) -> None:
    before = beside(running, run="before", number=running.state.number - 1)
    plant(running, "one", dump(before))
    running.done()
    assert running.planned() == []
