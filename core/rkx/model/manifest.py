"""What plugins describe of a cluster's API: manifests, the objects in them, and the workloads to wait for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from rkx.model.key import ManifestKey, ObjectKey
from rkx.model.milestone import After


def object_key(api_version: str, kind: str, namespace: str, name: str) -> ObjectKey:
    """Name an object of the cluster by the group of its ``api_version``."""
    group = api_version.rpartition("/")[0]
    return ObjectKey(group=group, kind=kind, namespace=namespace, name=name)


HEALTH_VERSIONS: Mapping[str, str] = MappingProxyType(
    {
        "Deployment": "apps/v1",
        "DaemonSet": "apps/v1",
        "StatefulSet": "apps/v1",
        "Pod": "v1",
        "Job": "batch/v1",
        "APIService": "apiregistration.k8s.io/v1",
        "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    }
)
"""The kinds that can be waited for, with the version of the API that shows them."""


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Wait for a workload of a kind of HEALTH_VERSIONS."""

    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> ObjectKey:
        """Name the workload in plans; KeyError for a kind that cannot be waited for."""
        return object_key(HEALTH_VERSIONS[self.kind], self.kind, self.namespace, self.name)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """YAML documents of the cluster; core splits them into objects and applies them on the server's side.

    ``where`` is where a user finds the text: a file, or a path in cluster.yml. With ``grants`` it gives the identity
    INSTALLER its rights: it is applied before everything else, and as SUPER_ADMIN.
    """

    name: str
    text: str
    grants: bool = False
    after: tuple[After, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    where: str = ""
    namespace: str = "default"
    owner: str = ""

    @property
    def key(self) -> ManifestKey:
        """Name the manifest in plans."""
        return ManifestKey(self.name)


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the cluster as it should be; ``body`` is its whole mapping."""

    api_version: str
    kind: str
    namespace: str
    name: str
    body: Mapping[str, Any]
    after: tuple[After, ...] = ()
    manifest: str = ""
    grants: bool = False
    where: str = ""
    owner: str = ""

    @property
    def key(self) -> ObjectKey:
        """Name the object in plans."""
        return object_key(self.api_version, self.kind, self.namespace, self.name)
