"""Images of pods that every node will run, whatever shape a manifest has."""

from __future__ import annotations

import pytest

import rkx
from rkx.reconcile.manifests import daemon_images


def daemon_set(spec: object) -> rkx.Object:
    return rkx.Object(api_version="apps/v1", kind="DaemonSet", namespace="a", name="b", body={"spec": spec})


def pods(containers: object) -> rkx.Object:
    return daemon_set({"template": {"spec": {"initContainers": [{"image": "first:1"}], "containers": containers}}})


def test_images_of_all_containers_are_found() -> None:
    assert daemon_images([pods([{"image": "agent:1"}, {"name": "without"}])]) == {"first:1", "agent:1"}


@pytest.mark.parametrize("spec", [None, [1], {"template": None}, {"template": {"spec": "pod"}}])
def test_a_specification_of_another_shape_has_no_images(spec: object) -> None:
    assert daemon_images([daemon_set(spec)]) == set()


@pytest.mark.parametrize("containers", [None, "agent", {"image": "a"}, ["agent"], [{"image": 5}], [{"image": ["a"]}]])
def test_containers_of_another_shape_have_no_images(containers: object) -> None:
    assert daemon_images([pods(containers)]) == {"first:1"}
