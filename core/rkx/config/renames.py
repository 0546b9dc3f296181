"""Read older spellings of RKE's keys as today's, with a warning for each."""

from __future__ import annotations

from rkx.config.schema.images import IMAGES
from rkx.config.tree import FALSE, TRUE, Entry, Scalar, Table, Tree, is_empty, to_python
from rkx.errors import Problem

TOP = {"auth": "authentication"}
SERVICES = {"kube_api": "kube-api", "kube_controller": "kube-controller"}
ODD_IMAGES = {"service_sidekick_image": "kubernetes_services_sidecar", "wave_node": "weave_node"}


def current(root: Table) -> tuple[Table, list[Problem]]:
    """Return the tree in today's spelling, and what to say about it."""
    problems: list[Problem] = []
    entries = _renamed(root.entries, TOP, "", problems)
    entries = _docker_version(entries, problems)
    for name, names in (("services", SERVICES), ("system_images", _images(entries.get("system_images")))):
        if (entry := entries.get(name)) and isinstance(entry.value, Table):
            inner = _renamed(entry.value.entries, names, f"{name}.", problems)
            entries = {**entries, name: Entry(Table(inner, entry.value.mark), entry.key)}
    return Table(_option_images(entries, problems), root.mark), problems


def _renamed(
    entries: dict[str, Entry], names: dict[str, str], prefix: str, problems: list[Problem]
) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for key, entry in entries.items():
        name = names.get(key, key)
        other = entries.get(name)
        if name == key:
            found[key] = entry
            continue
        if is_empty(entry.value):
            continue
        if other and not is_empty(other.value) and to_python(other.value) != to_python(entry.value):
            message = f'"{key}" is the old name of "{name}", and both are given'
            problems.append(_problem(entry, prefix + key, message, f'keep "{name}" alone', warning=False))
            continue
        problems.append(_problem(entry, prefix + key, f'"{key}" is the old name of "{name}"', f'write "{name}"'))
        found[name] = entry
    return found


def _images(entry: Entry | None) -> dict[str, str]:
    keys = entry.value.entries if entry and isinstance(entry.value, Table) else {}
    plain = {key: key.removesuffix("_image") for key in keys if key.endswith("_image")}
    return {key: name for key, name in {**plain, **ODD_IMAGES}.items() if name in IMAGES}


def _docker_version(entries: dict[str, Entry], problems: list[Problem]) -> dict[str, Entry]:
    """Turn ``enforce_docker_version`` into its opposite."""
    old = entries.get("enforce_docker_version")
    if old is None:
        return entries
    rest = {key: entry for key, entry in entries.items() if key != "enforce_docker_version"}
    text = old.value.text if isinstance(old.value, Scalar) else ""
    if text not in TRUE | FALSE:
        return rest if is_empty(old.value) else entries
    message = '"enforce_docker_version" is the old opposite of "ignore_docker_version"'
    opposite = "false" if text in TRUE else "true"
    problems.append(_problem(old, "enforce_docker_version", message, f"write ignore_docker_version: {opposite}"))
    return {"ignore_docker_version": Entry(Scalar(opposite, old.value.mark, plain=True), old.key), **rest}


def _option_images(entries: dict[str, Entry], problems: list[Problem]) -> dict[str, Entry]:
    """Move ``network.options.flannel_image`` and its like to ``system_images``."""
    network, options = entries.get("network"), _inside(entries, "network", "options")
    moved = {key: key.removesuffix("_image") for key in options if key.removesuffix("_image") in IMAGES}
    if not moved or network is None or not isinstance(network.value, Table):
        return entries
    for key, name in moved.items():
        message = f'"{key}" is the old place of system_images.{name}'
        problems.append(_problem(options[key], f"network.options.{key}", message, "move it there"))
    kept = Table({key: entry for key, entry in options.items() if key not in moved}, network.value.mark)
    place = network.value.entries["options"]
    inner = Table({**network.value.entries, "options": Entry(kept, place.key)}, network.value.mark)
    images = {**{name: options[key] for key, name in moved.items()}, **_inside(entries, "system_images")}
    before = entries.get("system_images", place)
    table = Entry(Table(images, before.value.mark), before.key)
    return {**entries, "network": Entry(inner, network.key), "system_images": table}


def _inside(entries: dict[str, Entry], *path: str) -> dict[str, Entry]:
    for name in path:
        value: Tree | None = entries[name].value if name in entries else None
        entries = value.entries if isinstance(value, Table) else {}
    return entries


def _problem(entry: Entry, where: str, message: str, hint: str, *, warning: bool = True) -> Problem:
    line, column = entry.key
    return Problem(where=where, message=message, hint=hint, warning=warning, line=line, column=column)
