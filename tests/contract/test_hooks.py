"""The contract with plugins: each hook with its arguments, and that each is tried somewhere."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from rkx.hooks import API_VERSION, Specifications

SNAPSHOT = Path(__file__).parent / "hooks.txt"
TESTS = Path(__file__).parents[1]
HOOKS = sorted(name for name in dir(Specifications) if name.startswith("rkx_"))


def signatures() -> str:
    lines = [f"API_VERSION {API_VERSION}"]
    for name in HOOKS:
        found = inspect.signature(getattr(Specifications, name))
        own = [parameter for parameter in found.parameters.values() if parameter.name != "self"]
        lines.append(f"{name}{found.replace(parameters=own)}")
    return "\n".join(lines).replace("'", "") + "\n"


def test_the_signatures_of_hooks_are_recorded(request: pytest.FixtureRequest) -> None:
    """A changed line is a changed contract: it needs a decision record, and once API_VERSION is 1 another version."""
    if request.config.getoption("--update-golden"):
        SNAPSHOT.write_text(signatures())
    assert SNAPSHOT.read_text() == signatures()


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_tried_by_some_test(name: str) -> None:
    assert any(name in file.read_text() for file in TESTS.rglob("*.py") if file != Path(__file__))
