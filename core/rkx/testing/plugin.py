"""Run rkx's conformance kit on a plugin, without a line of test code.

``pytest -p rkx.testing.plugin --rkx-plugin network:bridge --pyargs rkx.testing.conformance``

Nothing of rkx is imported when pytest loads this, so that coverage sees all of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rkx.testing.conformance.subject import Subject


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which plugin is tried, and with which options."""
    group = parser.getgroup("rkx", "conformance of rkx's plugins")
    group.addoption(
        "--rkx-plugin",
        action="append",
        default=[],
        metavar="STAGE:NAME",
        help="an installed plugin to try, such as network:bridge; may be given again",
    )
    group.addoption("--rkx-options", default="{}", metavar="JSON", help="the plugin's options, as in cluster.yml")
    group.addoption("--rkx-address", default="", help="of a machine with a Docker Engine, to try a transport on")


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugins by the door that core uses; what it refuses ends the run, exit 4."""
    config.stash[_SUBJECTS] = {}
    options = _options(config)
    for reference in config.getoption("--rkx-plugin"):
        config.stash[_SUBJECTS][reference] = _loaded(reference, options, config.getoption("--rkx-address"))


_SUBJECTS: pytest.StashKey[dict[str, Subject]] = pytest.StashKey()


def _options(config: pytest.Config) -> dict[str, Any]:
    text = config.getoption("--rkx-options")
    try:
        options = json.loads(text)
    except ValueError as error:
        raise pytest.UsageError(f"--rkx-options: no JSON: {error}") from error
    if not isinstance(options, dict):
        raise pytest.UsageError(f"--rkx-options: {text} is not a mapping of options")
    if options and len(config.getoption("--rkx-plugin")) != 1:
        raise pytest.UsageError("--rkx-options belong to one plugin: give one --rkx-plugin")
    return options


def _loaded(reference: str, options: dict[str, Any], address: str) -> Subject:
    from rkx.errors import RkxError
    from rkx.testing.conformance.subject import load

    try:
        subject = load(reference, options, address)
    except RkxError as error:
        raise pytest.UsageError(f"{error.message}\n{error.hint}".rstrip()) from error
    if subject.stage == "transport" and not address:
        raise pytest.UsageError(f"{reference}: a transport is tried on a machine: give its --rkx-address")
    return subject


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each law on each plugin."""
    if _is_law(metafunc.module, metafunc.fixturenames):
        subjects = metafunc.config.stash[_SUBJECTS]
        metafunc.parametrize("subject", list(subjects), indirect=True, scope="session")


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Subject:
    """Return the plugin that is tried."""
    return request.config.stash[_SUBJECTS][request.param]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the laws that are none of the plugin's: those of other stages, and of hooks that it does not have."""
    tried = [item for item in items if isinstance(item, pytest.Function) and _is_law(item.module, item.fixturenames)]
    if tried and not config.stash[_SUBJECTS]:
        raise pytest.UsageError("the conformance kit tries a plugin: give --rkx-plugin STAGE:NAME")
    others = {item for item in tried if not _concerns(item, config)}
    config.hook.pytest_deselected(items=[item for item in items if item in others])
    items[:] = [item for item in items if item not in others]


def _is_law(module: object, fixtures: Sequence[str]) -> bool:
    """Tell the kit's own tests from a vendor's, who may have a fixture of the same name."""
    return hasattr(module, "STAGES") and "subject" in fixtures


def _concerns(item: pytest.Function, config: pytest.Config) -> bool:
    from rkx.testing.conformance.subject import concerns

    return concerns(item.module, config.stash[_SUBJECTS][str(item.callspec.params["subject"])])
