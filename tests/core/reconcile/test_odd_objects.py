"""Manifests and pods of any shape: each is an error with its words, never a bug, and blames nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import Site

from rkx import api
from rkx.errors import RkxError
from rkx.model.manifest import HealthCheck
from rkx.reconcile.api_client import ApiClient
from rkx.reconcile.context import Context
from rkx.reconcile.health import story
from rkx.reconcile.objects import ClusterApi
from rkx.testing.wire import Request, Response, as_json, error

ODD = {
    "a pod without a spec": "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: tiny}\nspec: null\n",
    "a pod whose spec is text": "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: tiny}\nspec: text\n",
    "a binding without a role": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n"
    "metadata: {name: x}\nroleRef: null\n",
}


def server(site: Site, answer: Callable[[Request], Response | None]) -> None:
    """Have the API server answer otherwise; what ``answer`` returns nothing for is answered as before."""
    [one] = site.world.servers
    plain = one.application
    site.world.servers = [replace(one, application=lambda request: answer(request) or plain(request))]


@pytest.mark.whole
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_manifest_of_another_shape_is_left_to_the_api_server(running: Site, text: str) -> None:
    def answer(request: Request) -> Response | None:
        return error(422, "it is not valid") if request.method == "PATCH" and request.path.endswith("/x") else None

    server(running, answer)
    running.network.manifest += f"---\n{text}"
    found = running.up().error
    assert isinstance(found, RkxError)
    assert (found.exit_code, "it is not valid" in found.message) == (7, True), found.message


def test_a_log_that_a_node_does_not_end_is_no_fault_of_the_api_server(running: Site) -> None:
    def answer(request: Request) -> Response | None:
        if request.path.endswith("/pods"):
            return as_json({"items": [{"metadata": {"name": "net-x"}}]})
        if request.path.endswith("/events"):
            return as_json({"items": []})
        return Response(body=b"x" * (2 << 20)) if request.path.endswith("/log") else None

    server(running, answer)
    assert told(running) == "net-x: no log came within 10 s and 1 MiB"


def test_a_kubelet_that_forbids_a_log_makes_no_super_admin_of_rkx(running: Site) -> None:
    users = list[str]()

    def answer(request: Request) -> Response | None:
        users.append(request.user)
        if request.path.endswith("/pods"):
            return as_json({"items": [{"metadata": {"name": "net-x"}}, {"metadata": {"name": "net-y"}}]})
        if request.path.endswith("/events"):
            return as_json({"items": []})
        return error(403, "the node says no") if request.path.endswith("/log") else None

    server(running, answer)
    assert told(running).count("the node says no") == 2
    assert len(set(users)) == 1


def test_events_that_cannot_be_read_hide_nothing_else(running: Site) -> None:
    def answer(request: Request) -> Response | None:
        if request.path.endswith("/pods"):
            return as_json({"items": [{"metadata": {"name": "net-x"}}]})
        if request.path.endswith("/events"):
            return as_json({"items": [{}] * 20_001})
        return Response(body=b"no route") if request.path.endswith("/log") else None

    server(running, answer)
    first, last = told(running).split("\n")
    assert first.startswith("its events cannot be read: the API server: ")
    assert last == "net-x says: no route"


def told(site: Site) -> str:
    with api._opened(site.project, api.Options(), writes=False) as opened:
        return story(_api_of(opened.context), HealthCheck(kind="DaemonSet", namespace="tiny", name="net"))


def _api_of(context: Context) -> ClusterApi:
    return ClusterApi(ApiClient(lambda: [*context.connections.links.values()][:1], context.store))
