"""YAML documents: what each names, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

import rkx

DEFAULT_NAMESPACE = "default"
WORKLOADS = {("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"), ("v1", "Pod")}
HINT = "every document needs apiVersion, kind and metadata.name"
NODE = ("v1", "Node")
NODE_HINT = "kubelets register Nodes; set labels and taints under nodes in cluster.yml"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A text with documents; ``where`` is its path in cluster.yml, ``file`` the file or address that it came from."""

    name: str
    where: str
    text: str
    file: str = ""


def find_mistakes(sources: Sequence[Source]) -> list[rkx.Problem]:
    """List the mistakes of all texts, in their order."""
    problems: list[rkx.Problem] = []
    seen: dict[tuple[str, ...], str] = {}
    for source in sources:
        try:
            for document in rkx.documents.yaml_documents(source.text):
                problems += _judge(source, document, seen)
        except rkx.documents.YamlFault as error:
            problems.append(_not_yaml(source, error))
    return problems


def workloads(source: Source) -> tuple[rkx.HealthCheck, ...]:
    """Name what has to run before the text counts as applied."""
    return tuple(
        rkx.HealthCheck(
            kind=item["kind"],
            namespace=item["metadata"].get("namespace") or DEFAULT_NAMESPACE,
            name=item["metadata"]["name"],
        )
        for document in rkx.documents.yaml_documents(source.text)
        for item in _objects(document.value)
        if (item["apiVersion"], item["kind"]) in WORKLOADS
    )


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Return the object, or those inside when it is a List."""
    if not isinstance(value, dict):
        return
    if value.get("kind") == "List" and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _objects(item)
        return
    yield value


def _judge(
    source: Source, document: rkx.documents.YamlDocument, seen: dict[tuple[str, ...], str]
) -> Iterator[rkx.Problem]:
    place = f"document {document.number}"
    if document.value is None:
        return
    if not isinstance(document.value, dict):
        yield _problem(source, document.line, f"{place} is a {type(document.value).__name__}, not an object")
        return
    for item in _objects(document.value):
        if missing := _missing(item):
            yield _problem(source, document.line, f"{place} has no {' and no '.join(missing)}")
            continue
        if not isinstance(item["metadata"].get("namespace") or "", str):
            yield _problem(source, document.line, f"{place}: metadata.namespace is not text", hint="")
            continue
        if (item["apiVersion"], item["kind"]) == NODE:
            message = f"{place}: a Node cannot be applied as a manifest: {item['metadata']['name']!r}"
            yield _problem(source, document.line, message, hint=NODE_HINT)
            continue
        key = _key(item)
        label = f"{item['kind']} {item['metadata']['name']!r}"
        if key in seen:
            yield _problem(source, document.line, f"{place} has {label} again, which is in {seen[key]}", hint="")
        seen.setdefault(key, f"{source.file or source.where}, {place}")


def _missing(item: Mapping[str, Any]) -> list[str]:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    found = {"apiVersion": item.get("apiVersion"), "kind": item.get("kind"), "metadata.name": name}
    return [field for field, value in found.items() if not isinstance(value, str) or not value]


def _key(item: Mapping[str, Any]) -> tuple[str, ...]:
    group = item["apiVersion"].rpartition("/")[0]
    namespace = item["metadata"].get("namespace") or DEFAULT_NAMESPACE
    return group, item["kind"], namespace, item["metadata"]["name"]


def _not_yaml(source: Source, error: rkx.documents.YamlFault) -> rkx.Problem:
    if not error.line:
        message = f"document {error.number} is not YAML: {error.message}"
        return rkx.Problem(where=source.where, message=message, file=source.file)
    before = source.text.splitlines()[: error.line - 1]
    begin = max((index for index, line in enumerate(before) if line.startswith("---")), default=-1)
    message = f"document {error.number}, line {error.line - 1 - begin} of it: {error.message}"
    return _problem(source, error.line, message, column=error.column, hint=error.hint)


def _problem(source: Source, line: int, message: str, *, column: int = 0, hint: str = HINT) -> rkx.Problem:
    if not source.file:
        return rkx.Problem(where=source.where, message=f"{message} (line {line} of the text)", hint=hint)
    return rkx.Problem(where=source.where, message=message, hint=hint, file=source.file, line=line, column=column)
