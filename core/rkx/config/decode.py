"""Decode a provider's options into its own Config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from rkx.config.decoder import Decoder
from rkx.config.document import Document
from rkx.config.noted import FAILED
from rkx.config.options import Options
from rkx.config.tree import as_table, from_python
from rkx.errors import Problem

C = TypeVar("C")


def decode(
    config_class: type[C], options: Mapping[str, Any], *, where: str, document: Document | None, secrets: bool = True
) -> tuple[C | None, list[Problem]]:
    """Return the config, or None, with all problems in their places.

    Options of cluster.yml know their places; of plain ones ``where`` is the path. Dashes in keys stand for underscores.
    Text fields take a scalar's source text. Without ``secrets`` those that the options point at stay unread. A default
    may be any value; a class beyond plain types is called with the text, and raises ValueError for one that is not its.
    """
    given = options if isinstance(options, Options) else Options(as_table(from_python(options)), where)
    decoder = Decoder(folder=document.path.parent if document else Path(), secrets=secrets)
    value = decoder.value(config_class, given.tree, given.where)
    problems = decoder.problems
    if document:
        safe = document.hide(decoder.secrets)
        problems = [safe.place(problem) for problem in problems]
    failed = value is FAILED or any(not problem.warning for problem in problems)
    # The decoder has checked each field against config_class.
    return (None if failed else cast("C", value)), problems
