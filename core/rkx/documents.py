"""Read manifests: YAML documents as values that JSON has, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import yaml

from rkx.growth import Growth, TooMuch

DEPTH = 100
"""The deepest CustomResourceDefinitions, those that describe pods, have some 50 levels."""
REPEATS = 10_000
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML was built with it
NUMBER_CHARACTERS = 100
"""YAML 1.1 has numbers to the base of 60: reading one takes the square of its length."""
UNREADABLE = "a value that cannot be read"
NUMBERS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float"))
OTHERS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("timestamp", "binary", "omap", "pairs", "set"))
"""What JSON does not have; a date stays the text that it is written as."""


class YamlFault(ValueError):
    """A text is not valid YAML, or becomes too much; its words quote nothing of the text, which may hold a secret.

    ``number`` is that of the document, ``line`` and ``column`` those in the whole text, all from 1; 0 is unknown.
    """

    def __init__(self, message: str, *, number: int, line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.number, self.line, self.column, self.hint = message, number, line, column, hint


class YamlDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document; ``line`` counts from 1 in the whole text, ``number`` from 1 among documents."""

    number: int
    line: int
    value: Any


def _short(make: Callable[[Any, yaml.ScalarNode], float]) -> Callable[[Any, yaml.ScalarNode], float]:
    """Return what makes a number of a text that is not too long for one."""

    def read(loader: Any, node: yaml.ScalarNode) -> float:  # noqa: ANN401 - one of two classes
        if not isinstance(node, yaml.ScalarNode) or len(node.value) > NUMBER_CHARACTERS:  # a tag may say so of anything
            raise yaml.constructor.ConstructorError(None, None, UNREADABLE, node.start_mark)
        return make(loader, node)

    return read


class _Loader(_Base):  # type: ignore[misc] # one of two classes
    """Makes mappings with texts as keys, lists, texts, numbers, truth values and null."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
        letter: [(tag, pattern) for tag, pattern in pairs if tag not in OTHERS]
        for letter, pairs in _Base.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012
        tag: _short(make) if tag in NUMBERS else make
        for tag, make in _Base.yaml_constructors.items()
        if tag not in OTHERS
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):  # a tag may say so of anything
            raise yaml.constructor.ConstructorError(None, None, UNREADABLE, node.start_mark)
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


def yaml_documents(text: str) -> Iterator[YamlDocument]:
    """Read one document after the other, empty ones as None; raises YamlFault.

    Aliases and nesting have limits: what a short text becomes is counted before it is made.
    """
    _measure(text)
    number = 0
    loader = None
    try:
        loader = _Loader(text)
        while loader.check_node() and (node := loader.get_node()) is not None:
            number += 1
            line = node.start_mark.line + 1
            yield YamlDocument(number=number, line=line, value=_value(loader, node, number))
    except yaml.YAMLError as error:
        raise _fault(error, number + 1) from error
    finally:
        if loader is not None:
            loader.dispose()


def _measure(text: str) -> None:
    number = 1
    try:
        for event in Growth(depth=DEPTH, repeats=REPEATS).guard(yaml.parse(text, Loader=_Base)):
            number += isinstance(event, yaml.DocumentEndEvent)
    except TooMuch as error:
        at = error.mark
        raise YamlFault(
            error.message, number=number, line=at.line + 1, column=at.column + 1, hint=error.hint
        ) from error
    except yaml.YAMLError as error:
        raise _fault(error, number) from error


def _value(loader: Any, node: yaml.Node, number: int) -> Any:  # noqa: ANN401 - whatever YAML holds
    try:
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _fault(error, number) from error
    except (ValueError, ArithmeticError, LookupError) as error:  # a text that does not fit its tag
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        raise YamlFault(UNREADABLE, number=number, line=line, column=column) from error


def _fault(error: yaml.YAMLError, number: int) -> YamlFault:
    """Say what is wrong and where; PyYAML's own text may quote the line."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "not YAML"
    place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
    return YamlFault(problem, number=number, **place)
