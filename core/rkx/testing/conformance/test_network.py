"""Laws for what a network says to services."""

from __future__ import annotations

from ipaddress import ip_network

from rkx.testing.conformance.subject import Subject

STAGES = ("network",)
MODES = (None, "iptables", "ipvs", "nftables")


def test_settings_are_of_a_network(subject: Subject) -> None:
    """It has a name and a pod range, and a mode that kube-proxy knows."""
    for case in subject.cases():
        settings = subject.network(case)
        assert settings.cni
        assert ip_network(settings.pod_cidr)
        assert settings.kube_proxy_mode in MODES


def test_settings_are_the_same_whoever_answered(subject: Subject) -> None:
    """A node that did not answer changes nothing for the others: else each absence restarts their services."""
    for cluster in subject.clusters:
        given = [subject.network(case) for case in subject.cases() if case.cluster is cluster]
        assert all(each == given[0] for each in given)
