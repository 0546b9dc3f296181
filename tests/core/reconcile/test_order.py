"""What waits for what."""

from __future__ import annotations

import pytest
from tests.core.reconcile.small import Site

import rkx
from rkx.model.key import HealthKey, NodeKey


@pytest.mark.whole
def test_an_object_that_waits_for_a_ready_node_comes_after_it(site: Site) -> None:
    site.done()
    site.network.after = (rkx.node_ready("two"),)
    site.world.kube.objects["/api/v1/nodes/two"]["status"]["conditions"] = []
    site.world.kube.objects.pop("/apis/apps/v1/namespaces/tiny/daemonsets/net")
    actions = {str(action.key): action for action in site.plan().actions}
    assert HealthKey(NodeKey("two")) in actions["daemonset.apps tiny/net"].after
