"""Two laws over everything: applying twice plans nothing, and whatever was cut is finished by running again."""

from __future__ import annotations

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site

from rkx.testing.world import Snapshot

PARTS = 12
EACH = [0, *(pytest.param(part, marks=pytest.mark.whole) for part in range(1, PARTS))]
Moment = tuple[str, Snapshot, dict[str, bytes]]


def on_disk(site: Site) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in site.folder.glob("*.rkxstate*")}


def watched(site: Site) -> list[Moment]:
    """Keep what a SIGKILL after each change would leave; the first moment is the one before any change."""
    moments: list[Moment] = [("before", site.world.snapshot(), on_disk(site))]
    site.world.watcher = lambda: moments.append((site.world.effects[-1], site.world.snapshot(), on_disk(site)))
    return moments


def resume(site: Site, moment: Moment) -> None:
    """Start a program anew in what was left."""
    site.world.revive()
    site.world.watcher = lambda: None
    site.world.restore(moment[1])
    for file in site.folder.glob("*.rkxstate*"):
        file.unlink()
    for name, content in moment[2].items():
        (site.folder / name).write_bytes(content)


def names_of(site: Site) -> dict[str, tuple[list[str], list[str]]]:
    return {n: (sorted(e.boxes), sorted(site.world.machines[n].files)) for n, e in site.world.engines.items()}


def authorities(site: Site) -> set[bytes | None]:
    found = {machine.files[path].content for machine in site.world.machines.values() for path in machine.below("/etc")}
    return {content for content in found if content and b"BEGIN CERTIFICATE" in content}


@pytest.mark.whole
def test_applying_twice_plans_nothing_and_sends_nothing(site: Site) -> None:
    site.done()
    assert site.world.effects != []
    site.world.revive()
    assert site.plan().is_empty
    site.done()
    assert site.world.effects == []
    assert site.world.changes() == []


@pytest.mark.parametrize("part", EACH)
def test_a_run_cut_after_any_change_is_finished_by_the_next(make: Make, part: int) -> None:
    site = make("one")
    moments = watched(site)
    site.done()
    whole = names_of(site)
    assert len(moments) > 35
    for moment in moments[part::PARTS]:
        resume(site, moment)
        made = authorities(site)
        run = site.up()
        assert run.error is None, f"after {moment[0]}: {run.error}"
        assert names_of(site) == whole, f"after {moment[0]}"
        assert made <= authorities(site), f"a second CA after {moment[0]}"
    assert site.plan().is_empty, site.planned()


@pytest.mark.whole
def test_a_cut_between_two_nodes_is_finished_by_the_next_run(site: Site) -> None:
    moments = watched(site)
    site.done()
    whole = names_of(site)
    for moment in moments[5::12]:
        resume(site, moment)
        site.done()
        assert names_of(site) == whole, f"after {moment[0]}"


@pytest.mark.whole
def test_what_a_replacement_left_when_cut_is_told_apart(make: Make) -> None:
    site = make("one")
    site.done()
    whole = names_of(site)
    site.service.flag = "--level=2"
    moments = watched(site)
    site.done()
    for moment in moments:
        resume(site, moment)
        site.done()
        assert names_of(site) == whole, f"after {moment[0]}"
        assert site.world.engines["one"].running("agent")
    assert site.plan().is_empty


@pytest.mark.whole
def test_a_removal_cut_after_any_change_is_finished_by_the_next(make: Make) -> None:
    site = make("one")
    site.done()
    moments = watched(site)
    site.remove().wait()
    whole = names_of(site)
    assert site.world.engines["one"].boxes == {}
    for moment in moments:
        resume(site, moment)
        run = site.remove()
        assert run.error is None, f"after {moment[0]}: {run.error}"
        assert names_of(site) == whole, f"after {moment[0]}"
        assert not site.file.with_suffix(".rkxstate").exists()


@pytest.mark.whole
def test_a_program_that_dies_tells_no_node_anything_more(make: Make) -> None:
    for number in (5, 30):
        site = make("one")
        site.world.cut = (number, "before")
        assert site.up().error is not None
        assert len(site.world.effects) == number
        site.world.revive()
        site.done()
        assert site.plan().is_empty


@pytest.mark.whole
def test_a_run_keeps_one_former_generation_however_often_it_saves(site: Site) -> None:
    site.done()
    assert sorted(on_disk(site)) == ["cluster.rkxstate"]
    for flag in ("--level=2", "--level=3"):
        site.world.revive()
        site.service.flag, site.service.labels = flag, {"tiny": flag.lstrip("-=")}
        before = on_disk(site)["cluster.rkxstate"]
        site.done()
        assert site.world.effects.count("state") > 1
        assert on_disk(site)["cluster.rkxstate.1"] == before
    assert sorted(on_disk(site)) == [
        "cluster.rkxstate",
        "cluster.rkxstate.1",
        "cluster.rkxstate.2",
    ]
