"""Who asks the API server: rkx's own user, and super-admin only for what lets that user in."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.core.reconcile.small import RIGHTS_PATH, Site

import rkx
from rkx import api
from rkx.testing.wire import Request

pytestmark = pytest.mark.whole

BINDING = "clusterrolebinding.rbac.authorization.k8s.io admins"
ABOVE = "system:masters"


def of_api(site: Site) -> list[Request]:
    return [request for request in site.world.requests if request.user]


def above(requests: Iterable[Request]) -> set[tuple[str, str]]:
    """Return method and path of what was asked for as super-admin."""
    return {(request.method, request.path) for request in requests if ABOVE in request.groups}


def test_a_new_cluster_is_made_by_its_own_user_once_that_one_is_let_in(site: Site) -> None:
    site.done()
    changes = [request for request in of_api(site) if request.method == "PATCH"]
    assert above(changes) == {("PATCH", RIGHTS_PATH)}
    assert changes[0].path == RIGHTS_PATH
    assert {request.user for request in changes[1:]} == {rkx.identity.INSTALLER}
    assert len(changes) > 3


def test_a_run_with_nothing_to_do_asks_as_its_own_user_alone_and_each_thing_once(running: Site) -> None:
    running.done()
    assert running.world.effects == []
    assert {request.user for request in of_api(running)} == {rkx.identity.INSTALLER}
    paths = [(request.method, request.path) for request in of_api(running)]
    assert len(paths) == len(set(paths))


def test_a_plan_tells_of_a_lost_binding_and_writes_nothing(running: Site) -> None:
    del running.world.kube.objects[RIGHTS_PATH]
    assert running.planned() == [("create", BINDING, "missing")]
    assert {request.method for request in of_api(running)} == {"GET"}


@pytest.mark.parametrize("damage", ["lost", "other subject", "other role"])
def test_a_damaged_binding_is_mended_first_and_the_rest_done_as_before(running: Site, damage: str) -> None:
    binding = running.world.kube.objects[RIGHTS_PATH]
    match damage:
        case "lost":
            del running.world.kube.objects[RIGHTS_PATH]
        case "other subject":
            binding["subjects"] = [{**binding["subjects"][0], "name": "somebody"}]
        case "other role":
            binding["roleRef"] = {**binding["roleRef"], "name": "view"}
    running.network.colour = "red"
    running.done()
    assert running.world.kube.objects[RIGHTS_PATH]["roleRef"]["name"] == "cluster-admin"
    changes = [request for request in of_api(running) if request.method in ("PATCH", "DELETE")]
    assert {path for _, path in above(changes)} == {RIGHTS_PATH}
    assert changes[-1].user == rkx.identity.INSTALLER
    running.world.revive()
    assert running.planned() == []
    assert above(of_api(running)) == set()


def test_a_cluster_without_that_user_gets_it_by_the_next_run(site: Site) -> None:
    site.service.has_user = False
    site.done()
    site.service.has_user = True
    site.world.revive()
    assert [(verb, key) for verb, key, _ in site.planned()] == [
        ("issue", "credentials all"),
        ("create", BINDING),
        ("update", "configmap kube-system/rkx-certificates"),
    ]
    assert {request.user for request in of_api(site)} == {rkx.identity.SUPER_ADMIN}
    site.network.colour = "red"
    site.done()
    site.world.revive()
    assert site.planned() == []
    assert {request.user for request in of_api(site)} == {rkx.identity.INSTALLER}


def test_a_server_made_anew_in_that_run_is_asked_as_the_new_user(site: Site) -> None:
    site.service.has_user = False
    site.done()
    site.service.has_user = True
    site.world.engines["one"].boxes["server"].state = "exited"
    site.done()
    assert site.planned() == []


def test_the_grant_is_awaited_where_the_server_heeds_it_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authorizer hears of a binding some moments after it is stored."""
    may, late = type(site.world.kube)._may, iter(range(12))

    def later(kube: object, request: Request) -> bool:
        stored = RIGHTS_PATH in site.world.kube.objects
        if request.user == rkx.identity.INSTALLER and stored and next(late, None) is not None:
            return False
        return may(site.world.kube, request)

    monkeypatch.setattr(type(site.world.kube), "_may", later)
    monkeypatch.setattr("rkx.reconcile.object_actions.POLL_S", 0.01)
    site.done()
    assert next(late, None) is None
    assert "/api/v1/namespaces/tiny" in site.world.kube.objects


def test_a_damaged_binding_does_not_hold_up_a_node_that_leaves(running: Site) -> None:
    del running.world.kube.objects[RIGHTS_PATH]
    running.write(["one"])
    running.ended(api.up(running.project, api.Options(accept=lambda dangers: True))).wait()
    assert "/api/v1/nodes/two" not in running.world.kube.objects
    assert above(r for r in of_api(running) if r.method == "DELETE") == set()
