"""Laws of the conformance kit, called one by one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

import pytest

from rkx.errors import PluginFault
from rkx.testing.conformance.issuing import Issuing
from rkx.testing.conformance.subject import Subject

Law = Callable[..., None]
BROKEN = (AssertionError, pytest.fail.Exception, PluginFault)


def laws(module: ModuleType) -> list[Law]:
    """List the laws of a module."""
    return [law for name, law in vars(module).items() if name.startswith("test_") and inspect.isfunction(law)]


def keep(law: Law, subject: Subject, caplog: pytest.LogCaptureFixture | None = None) -> None:
    """Try a plugin by one law."""
    known: dict[str, Callable[[], object]] = {
        "subject": lambda: subject,
        "caplog": lambda: caplog,
        "issuing": lambda: Issuing(subject=subject),
    }
    law(**{name: known[name]() for name in inspect.signature(law).parameters})


def breaks(law: Law, subject: Subject) -> None:
    """See that a law finds a plugin that breaks it."""
    with pytest.raises(BROKEN):
        keep(law, subject)
