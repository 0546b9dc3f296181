"""Manifests of plugins as the objects in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rkx.errors import ConfigError
from rkx.model.manifest import Manifest, Object


def split(manifest: Manifest) -> list[Object]:
    """Cut a manifest into its objects; a List gives its items.

    Raises ConfigError where a document is not an object, with its number.
    """
    from rkx.documents import YamlFault, yaml_documents

    found, where = [], manifest.where or manifest.name
    try:
        for document in yaml_documents(manifest.text):
            place = f"{where} document {document.number}"
            found += [_object(manifest, body, place) for body in _bodies(document.value)]
    except YamlFault as error:
        place = f"line {error.line}, column {error.column}: " if error.line else ""
        raise ConfigError(f"{where}: not YAML: {place}{error.message}", hint=error.hint) from error
    return found


def _bodies(document: Any) -> Sequence[Any]:  # noqa: ANN401 - whatever YAML holds
    if document is None:
        return []
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
        items = document.get("items", document)
        return items if isinstance(items, list) else [document]
    return [document]


def _object(manifest: Manifest, body: Any, where: str) -> Object:  # noqa: ANN401 - whatever YAML holds
    try:
        metadata = body["metadata"]
        names = (body["apiVersion"], body["kind"], metadata.get("namespace") or "", metadata["name"])
        version, kind, namespace, name = (text if isinstance(text, str) else _no_text(text) for text in names)
        _refuse_node(version, kind, name, where)
        return Object(
            api_version=version,
            kind=kind,
            namespace=namespace,
            name=name,
            body=body,
            after=manifest.after,
            manifest=manifest.name,
            grants=manifest.grants,
            where=where,
            owner=manifest.owner,
        )
    except (KeyError, TypeError, AttributeError):
        raise ConfigError(f"{where}: no object: apiVersion, kind and metadata.name are needed") from None


def _refuse_node(version: str, kind: str, name: str, where: str) -> None:
    """Refuse a Node: rkx sets the labels and taints of the cluster's own, and a second writer would undo them."""
    if (version, kind) == ("v1", "Node"):
        raise ConfigError(
            f"{where}: a Node cannot be applied as a manifest: {name!r}",
            hint="kubelets register Nodes; set labels and taints under nodes in cluster.yml",
        )


def _no_text(value: object) -> str:
    raise TypeError(f"{type(value).__name__} where text is needed")


def daemon_images(objects: Iterable[Object]) -> set[str]:
    """Find the images of pods that every node will run, so that they come while the node is still being made."""
    pods = [field_at(each.body, "spec", "template", "spec") for each in objects if each.kind == "DaemonSet"]
    lists = [field_at(pod, name) for pod in pods for name in ("initContainers", "containers")]
    images = [field_at(each, "image") for found in lists if isinstance(found, list | tuple) for each in found]
    return {image for image in images if isinstance(image, str)}


def field_at(value: object, *names: str) -> object:
    """Return what is at a path; None where a manifest has another shape, which the API server refuses."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
