"""The documentation says what the code does: hooks, options, exit codes, keys, examples and links are compared."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rkx import config, errors, hooks
from rkx.cli import rke_compat
from rkx.cli.commands import COMMANDS
from rkx.config.schema.marks import slots
from rkx.config.schema.top import ClusterKeys
from rkx.hooks import Specifications

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
HOOKS = [name for name in vars(Specifications) if name.startswith("rkx_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_page_when_a_hook_exists_then_stands_there_with_its_exact_arguments(hook: str) -> None:
    arguments = [name for name in inspect.signature(getattr(Specifications, hook)).parameters if name != "self"]
    assert f"| `{hook}({', '.join(arguments)})` |" in (REFERENCE / "hooks.md").read_text()


def test_hooks_page_when_it_names_a_hook_then_the_hook_exists() -> None:
    text = (REFERENCE / "hooks.md").read_text()
    assert set(re.findall(r"\brkx_[a-z_]+(?=\(|`)", text)) == set(HOOKS)
    assert f"`API_VERSION` is {hooks.API_VERSION}" in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_cli_page_when_a_command_has_an_option_then_both_stand_there(command: click.Command) -> None:
    text = (REFERENCE / "cli.md").read_text()
    assert f"`rkx {command.name}`" in text
    shown = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    assert [spelling for each in shown for spelling in each.opts if f"`{spelling}`" not in text] == []


def test_cli_page_when_rke_has_more_then_each_of_it_stands_there() -> None:
    text = (REFERENCE / "cli.md").read_text()
    lacking = [*rke_compat.COMMANDS, *(flag.rstrip("=") for flags in rke_compat.FLAGS.values() for flag in flags)]
    assert [name for name in lacking if f"`{name}`" not in text] == []


def _errors(kind: type[errors.RkxError]) -> Iterator[type[errors.RkxError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _errors(each)


def test_exit_codes_page_when_an_error_exists_then_stands_in_the_row_of_its_code() -> None:
    rows = (REFERENCE / "exit-codes.md").read_text().splitlines()
    by_name = {name: row.split("|")[1].strip() for row in rows for name in re.findall(r"[A-Z]\w+", _cell(row))}
    assert by_name == {kind.__name__: str(kind.exit_code) for kind in _errors(errors.RkxError)}


def _cell(row: str) -> str:
    cells = row.split("|")
    return cells[2] if len(cells) > 2 and cells[1].strip().isdigit() else ""


def test_config_page_when_a_top_level_key_exists_then_stands_there() -> None:
    text = (REFERENCE / "config.md").read_text()
    assert [key for key in slots(ClusterKeys) if f"`{key}`" not in text] == []


def _examples() -> list[tuple[str, str]]:
    found = [(page.name, block) for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S)]
    return [(name, block) for name, block in found if "nodes:" in block]


def test_examples_when_counted_then_each_page_about_the_file_has_one() -> None:
    assert {name for name, _ in _examples()} >= {"README.md", "add-a-node.md", "bastion.md", "private-registry.md"}


@pytest.mark.parametrize(("page", "text"), _examples(), ids=lambda value: value if value.endswith(".md") else "")
def test_example_when_loaded_then_is_valid_without_a_warning(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "registry.password").write_text("secret")
    loaded = config.load_text(text, tmp_path / "cluster.yml")
    assert (loaded.warnings, loaded.cluster.image_layout) == ((), "rkx")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_when_followed_then_lead_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    ("page", "one"),
    [("explanation.md", "reconcile/order.py"), ("explanation/trust.md", "reconcile/found_authority.py")],
)
def test_explanation_when_it_names_a_file_then_the_file_exists(page: str, one: str) -> None:
    files = [str(file) for room in ("core", "plugins") for file in (ROOT / room).rglob("*.py")]
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", (ROOT / "docs" / page).read_text())
    assert [name for name in named if not any(file.endswith(f"/{name}") for file in files)] == []
    assert one in named
