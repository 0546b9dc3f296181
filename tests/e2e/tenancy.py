"""Whose the machines are during a session."""

from __future__ import annotations

import os

import pytest
import workload
from harness import Cluster, cluster_in
from workload import Workload

from rkx_lab import machines
from rkx_lab.state import Lab


class Tenancy:
    """Whose the machines are: the session's cluster's, once a test asked for it, until one wants them clean."""

    def __init__(self, lab: Lab, folders: pytest.TempPathFactory) -> None:
        self._lab = lab
        self._folders = folders
        self._cluster: Cluster | None = None
        self._work: Workload | None = None
        self._used = "RKX_LAB" in os.environ  # a lab that was up before us

    def cluster(self) -> Cluster:
        """Return the session's cluster, and bring it up if it is not there."""
        if self._cluster is None:
            self.clean()
            self._used = True
            cluster = cluster_in(self._lab, self._folders.mktemp("cluster"), self._lab.machines[:3])
            workload.furnish(cluster)
            cluster.up_took_s = cluster.rkx("up", "--plain", timeout_s=600).check().took_s
            self._cluster = cluster
        return self._cluster

    def work(self) -> Workload:
        """Return the pods that run in the session's cluster; they stay until it ends."""
        cluster = self.cluster()
        if self._work is None:
            self._work = workload.deploy(cluster)
        return self._work

    def lend(self) -> Lab:
        """Return machines as new to a test that has them for itself."""
        self.clean()
        self._used = True
        return self._lab

    def clean(self) -> None:
        """Make the machines anew, if anybody has had them."""
        if self._used:
            machines.clean(self._lab)
        self._cluster, self._work, self._used = None, None, False
