"""Laws for what changes the resources of others."""

from __future__ import annotations

from rkx.testing.conformance import samples
from rkx.testing.conformance.subject import Subject

STAGES = ("extension",)


def test_what_comes_in_goes_out(subject: Subject) -> None:
    """The same resources, changed: none is dropped and none is added."""
    for cluster in subject.clusters:
        before = samples.resources(cluster)
        after = subject.plugins.amended(cluster, before)
        assert sorted(each.key for each in after) == sorted(each.key for each in before)


def test_what_was_changed_stays_its_makers(subject: Subject) -> None:
    """The owner of a resource is the plugin that described it."""
    for cluster in subject.clusters:
        owners = {each.key: each.owner for each in samples.resources(cluster)}
        for each in subject.plugins.amended(cluster, samples.resources(cluster)):
            assert each.owner == owners.get(each.key)
