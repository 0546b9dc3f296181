"""How large YAML becomes once its aliases are written out, counted event by event before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import yaml

SHALLOW = "close the brackets opened before; no key needs so many"
WRITE_OUT = "write out what is meant"


class TooMuch(Exception):
    """YAML that nests too deep, repeats too much, or has an alias that means nothing; ``mark`` is PyYAML's."""

    def __init__(self, message: str, hint: str, mark: Any) -> None:  # noqa: ANN401 - it has two classes of marks
        super().__init__(message)
        self.message, self.hint, self.mark = message, hint, mark


class _Sum(msgspec.Struct):
    """A value with all that is in it; a scalar has one value and one level."""

    anchor: str | None = None
    values: int = 1
    levels: int = 1


class Growth:
    """Counts the events of a YAML stream; no value may lie deeper than ``depth``, aliases repeat ``repeats`` values."""

    def __init__(self, *, depth: int, repeats: int) -> None:
        self._depth, self._repeats, self._repeated = depth, repeats, 0
        self._open: list[_Sum] = []
        self._known: dict[str, _Sum | None] = {}

    def guard(self, events: Iterable[yaml.Event]) -> Iterator[yaml.Event]:
        """Return the same events; raises TooMuch in the place of the first that leads too far."""
        for event in events:
            self._take(event)
            yield event

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._add(self._meant(event), event)
        elif isinstance(event, yaml.ScalarEvent):
            self._close(_Sum(event.anchor), event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(self._open.pop(), event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._known.clear()

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._judge_depth(1, event)
        if event.anchor:
            self._known[event.anchor] = None
        self._open.append(_Sum(event.anchor))

    def _meant(self, event: yaml.AliasEvent) -> _Sum:
        name = event.anchor
        if name not in self._known:
            hint = f"put &{name} before the value that it means"
            raise TooMuch(f'alias "{name}" has no anchor before it', hint, event.start_mark)
        known = self._known[name]
        if known is None:
            raise TooMuch(f'alias "{name}" is inside its own anchor', WRITE_OUT, event.start_mark)
        self._repeated += known.values
        if self._repeated > self._repeats:
            raise TooMuch(f"aliases repeat more than {self._repeats} values", WRITE_OUT, event.start_mark)
        return known

    def _close(self, whole: _Sum, event: yaml.Event) -> None:
        if whole.anchor:
            self._known[whole.anchor] = whole
        self._add(whole, event)

    def _add(self, whole: _Sum, event: yaml.Event) -> None:
        self._judge_depth(whole.levels, event)
        if self._open:
            self._open[-1].values += whole.values
            self._open[-1].levels = max(self._open[-1].levels, whole.levels + 1)

    def _judge_depth(self, levels: int, event: yaml.Event) -> None:
        if len(self._open) + levels > self._depth:
            raise TooMuch(f"nested deeper than {self._depth} levels", SHALLOW, event.start_mark)
