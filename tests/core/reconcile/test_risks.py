"""What opens the cluster is refused, unless cluster.yml accepts it by name; then each plan says so."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.cli.show_plan import as_text, as_values
from rkx.errors import ConfigError, PluginFault, Problem
from rkx.events import PlanReady, ProblemFound


class Risky(TinyService):
    """Finds two risks in whatever the file says, at its nodes and at its network."""

    risks = frozenset(["open-door", "no-lock", "no-roof"])
    found = ("open-door", "no-lock")

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        places = ("nodes[0].role", "network.plugin")
        return [
            Problem(where=where, message=f"{name}!", risk=name) for where, name in zip(places, self.found, strict=True)
        ]


@pytest.fixture
def risky(site: Site) -> Site:
    site.service = Risky()
    return site


def accept(site: Site, *names: str) -> None:
    site.file.write_text(f"accept_risk: [{', '.join(names)}]\n{site.file.read_text()}")


def refused(site: Site) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        _ = site.project
    assert caught.value.exit_code == 3
    return [problem for problem in caught.value.problems if not problem.warning]


def test_risks_are_refused_all_at_once_each_with_its_place_and_the_line_that_accepts_it(risky: Site) -> None:
    found = {problem.where: problem for problem in refused(risky)}
    assert set(found) == {"nodes[0].role", "network.plugin"}
    assert all(problem.line and problem.column for problem in found.values())
    assert found["network.plugin"].hint.endswith("at the top of the file: accept_risk: [no-lock]")


def test_the_line_that_accepts_one_more_keeps_those_that_are_accepted(risky: Site) -> None:
    accept(risky, "open-door")
    [problem] = refused(risky)
    assert problem.hint.endswith("accept_risk: [open-door, no-lock]")


def test_an_accepted_risk_is_a_warning_and_stands_in_the_plan_however_it_is_shown(risky: Site) -> None:
    accept(risky, "open-door", "no-lock")
    assert [(each.where, each.message) for each in risky.project.warnings if each.risk] == [
        ("network.plugin", "no-lock!"),
        ("nodes[0].role", "open-door!"),
    ]
    plan = risky.plan()
    assert [(risk.name, risk.where) for risk in plan.risks] == [
        ("open-door", "nodes[0].role"),
        ("no-lock", "network.plugin"),
    ]
    assert "accepted risk open-door: nodes[0].role: open-door!" in as_text(plan)
    assert as_values(plan)["risks"][1] == {"name": "no-lock", "where": "network.plugin", "what": "no-lock!"}


@pytest.mark.whole
def test_every_run_tells_the_accepted_risks_with_nothing_to_do_too(risky: Site) -> None:
    accept(risky, "open-door", "no-lock")
    risky.done()
    risky.events.clear()
    risky.done()
    [ready] = [event for event in risky.events if isinstance(event, PlanReady)]
    assert (ready.actions, [risk.name for risk in ready.risks]) == (0, ["open-door", "no-lock"])
    assert [risk["name"] for risk in json.loads(json.dumps(ready.as_dict()))["risks"]] == ["open-door", "no-lock"]
    assert {"open-door!", "no-lock!"} <= {event.message for event in risky.events if isinstance(event, ProblemFound)}


def test_a_name_that_nothing_in_the_file_carries_is_a_warning_and_so_is_one_named_twice(risky: Site) -> None:
    accept(risky, "open-door", "no-lock", "no-roof", "no-lock")
    idle = [(each.where, each.message) for each in risky.project.warnings if each.where.startswith("accept_risk")]
    assert idle == [
        ("accept_risk[2]", "not needed: nothing in this file carries this risk"),
        ("accept_risk[3]", "not needed: named above"),
    ]


def test_a_name_that_no_plugin_knows_is_a_mistake_beside_the_risk_that_it_meant(risky: Site) -> None:
    accept(risky, "no-lock", "open-dor")
    unknown, meant = refused(risky)
    assert (unknown.where, unknown.line, unknown.column) == ("accept_risk[1]", 1, 24)
    assert unknown.hint == 'did you mean "open-door"?'
    assert meant.hint.endswith("accept_risk: [no-lock, open-door]")


def test_without_a_plugin_that_knows_risks_no_name_is_taken(site: Site) -> None:
    accept(site, "open-door")
    [problem] = refused(site)
    assert (problem.where, problem.hint) == ("accept_risk[0]", "no plugin in use knows a risk: take it out")


def test_a_plugin_with_a_risk_that_it_does_not_declare_breaks_the_contract(risky: Site) -> None:
    risky.service.risks = frozenset(["open-door"])  # type: ignore[misc] # of this instance
    with pytest.raises(PluginFault, match="'no-lock', which is none of its own"):
        _ = risky.project
