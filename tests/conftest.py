"""What tests of all rooms share: texts kept beside them, rewritten on demand only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rkx.config import decode

C = TypeVar("C")
Golden = Callable[[str, str], None]


def decoded(config_class: type[C], options: Mapping[str, Any]) -> C:
    """Decode options that are all right, as rkx does."""
    config, problems = decode(config_class, options, where="options", document=None)
    assert config is not None, problems
    assert problems == []
    return config


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite recorded texts instead of comparing")
    parser.addoption("--all-demonstrations", action="store_true", help="fail unless each demonstration was shown")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the file of that name in ``golden/`` beside the test."""

    def compare(name: str, text: str) -> None:
        file = Path(request.path).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
        assert file.is_file(), f"{file} is missing; run with --update-golden and review it"
        assert text == file.read_text("utf-8"), f"{file.name} differs; run with --update-golden and review the change"

    return compare
