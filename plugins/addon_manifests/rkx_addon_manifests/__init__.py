"""The user's own objects: the text under ``addons`` and the files that ``addons_include`` names."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

import rkx
from rkx_addon_manifests.documents import Source, find_mistakes, workloads

__all__ = ["Include", "Manifests", "ManifestsConfig"]


class Include(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``addons_include``: ``source`` as cluster.yml has it, and the text that core read there."""

    source: str
    text: str


class ManifestsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is under ``addons`` and ``addons_include``."""

    addons: str = ""
    addons_include: tuple[Include, ...] = ()


class Manifests(rkx.AddonPlugin[ManifestsConfig]):
    """Applies what the user wrote, and waits for the workloads in it."""

    name = "manifests"
    api = 0
    Config = ManifestsConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse text that is not valid YAML, documents that name no object, and objects that are written twice."""
        return find_mistakes(self._sources())

    @rkx.hookimpl
    def rkx_addon_resources(self, cluster: rkx.Cluster, network: rkx.NetworkSettings) -> Sequence[rkx.Resource]:
        """Describe one manifest for the text and one for each include."""
        return [
            rkx.Manifest(
                name=source.name,
                text=source.text,
                after=(rkx.API_READY,),
                health_checks=workloads(source),
                where=source.file or source.where,
            )
            for source in self._sources()
        ]

    def _sources(self) -> list[Source]:
        own = [Source(name="addons", where="addons", text=self.config.addons)] if self.config.addons.strip() else []
        includes = [
            Source(
                name=f"addons_include/{include.source}",
                where=f"addons_include[{index}]",
                text=include.text,
                file=include.source,
            )
            for index, include in enumerate(self.config.addons_include)
        ]
        return [*own, *includes]
