"""An object in the cluster tells when certificates end; it follows them, and a second run has nothing to tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import Site, leaf

import rkx
from rkx.reconcile.expiry import expiring, first_ends
from rkx.reconcile.told import KEY, told

PATH = "/api/v1/namespaces/kube-system/configmaps/rkx-certificates"


def shown(site: Site) -> dict[str, str]:
    found: dict[str, str] = site.world.kube.objects[PATH]["data"]
    return found


def rows(site: Site) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(shown(site)["certificates.json"])}


def test_every_certificate_is_told_with_its_end_and_the_first_one_first(running: Site) -> None:
    credentials = running.state.credentials
    dated = {name: each.saved.not_after for name, each in credentials.items() if each.saved.not_after}
    assert {name: row["notAfter"] for name, row in rows(running).items()} == {
        name: f"{end:%Y-%m-%dT%H:%M:%SZ}" for name, end in dated.items()
    }
    assert shown(running)["first-end"] == min(row["notAfter"] for row in rows(running).values())
    assert "PRIVATE KEY" not in json.dumps(shown(running))
    assert running.planned() == []


@pytest.mark.whole
def test_a_certificate_that_is_made_in_a_run_is_told_in_the_same_run(running: Site) -> None:
    running.service.leaves = ("more",)
    planned = {(verb, key): reason for verb, key, reason in running.planned()}
    assert planned["update", str(KEY)] == "certificates are reissued"
    running.done()
    assert "more" in rows(running)
    assert running.planned() == []


@pytest.mark.whole
def test_what_nobody_needs_any_more_is_told_no_longer(running: Site) -> None:
    running.service.leaves = ("more",)
    running.done()
    running.service.leaves = ()
    running.done()
    assert "more" not in rows(running)
    assert running.planned() == []


def test_it_goes_when_somebody_changes_it_and_comes_back(running: Site) -> None:
    running.world.kube.objects[PATH]["data"]["first-end"] = "2999-01-01T00:00:00Z"
    running.done()
    assert shown(running)["first-end"] == min(row["notAfter"] for row in rows(running).values())


def test_what_its_holder_renews_is_told_nowhere(running: Site) -> None:
    state = running.state
    spare = leaf("server", sans=("127.0.0.1",), life="self-renewed")
    assert json.loads(told([spare], state).body["data"]["certificates.json"]) == []
    end = state.credentials["server"].saved.not_after
    assert end is not None
    assert first_ends(state, [spare]) == []
    assert list(expiring(state, [spare], end)) == []


def test_what_ends_with_its_authority_is_told_by_the_authority_alone(running: Site) -> None:
    state = running.state
    same = state.credentials[rkx.identity.KUBERNETES_CA]
    assert first_ends(replace(state, credentials={**state.credentials, "server": same}), [leaf("server")]) == []
    assert [end.name for end in first_ends(state, [leaf("server")])] == ["server"]
