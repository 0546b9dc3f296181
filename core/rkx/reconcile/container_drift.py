"""A container as it is wanted and as it was seen: what differs, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rkx.lines import cut
from rkx.model.action import Change
from rkx.model.image import listed, reference
from rkx.model.resource import Container
from rkx.reconcile.seen import SeenContainer

IMAGE = "image"


def why_made_otherwise(changes: Sequence[Change]) -> str:
    """Say in words why a container that was made from other values is replaced, by the first of its ``changes``."""
    if not changes:
        return "settings changed"
    first = changes[0]
    return f"image changed from {first.before}" if first.field == IMAGE else f"arguments changed: {first.field}"


def changes_of(container: Container, seen: SeenContainer) -> tuple[Change, ...]:
    """Return what differs: the image, as it was asked for, then the arguments by the names of their flags."""
    image = Change(field=IMAGE, before=cut(seen.image), after=container.image)
    moved = () if _same_image(seen.image, container.image) else (image,)
    return (*moved, *_argument_changes(container, seen))


def _same_image(seen: str, wanted: str) -> bool:
    return listed(seen) == listed(wanted)


def _is_pinned_one(container: Container, seen: SeenContainer, images: Mapping[str, str]) -> bool:
    """Compare by id where a digest is wanted and the node has that image; a tag may have moved since."""
    is_pinned = bool(reference(container.image).digest)
    return not is_pinned or images.get(listed(container.image), seen.image_id) == seen.image_id


def set_by_hand(container: Container, seen: SeenContainer, images: Mapping[str, str]) -> list[str]:
    """Name what differs between the Engine and the label, which any client can write."""
    same = {
        "image": _same_image(seen.image, container.image) and _is_pinned_one(container, seen, images),
        "arguments": _fits(container, seen.argv),
        "binds": seen.binds == {str(mount) for mount in container.mounts},
        "privileges": seen.privileged == container.privileged,
        "limits": not seen.limited,
    }
    return [name for name, is_same in same.items() if not is_same]


def _fits(container: Container, argv: Sequence[str]) -> bool:
    """Compare arguments except bootstrap arguments, which are not known after the first start."""
    count = len(container.argv)
    return tuple(argv[:count]) == container.argv and (bool(container.bootstrap_args) or len(argv) == count)


def _argument_changes(container: Container, seen: SeenContainer) -> tuple[Change, ...]:
    was, should = by_flag(seen.argv), by_flag((*container.argv, *container.bootstrap_args))
    names = sorted(name for name in was.keys() | should.keys() if was.get(name) != should.get(name))
    return tuple(Change(field=cut(n), before=cut(was.get(n, "")), after=should.get(n, "")) for n in names)


def by_flag(argv: Sequence[str]) -> dict[str, str]:
    """Return the values of arguments by the names of their flags; those of one flag are joined."""
    found: dict[str, list[str]] = {}
    for argument in argv:
        name, _, value = argument.partition("=")
        found.setdefault(name, []).append(value)
    return {name: " ".join(values) for name, values in found.items()}
