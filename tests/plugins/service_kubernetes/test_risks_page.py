"""The reference has the table of risks as flags.toml has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rkx_service_kubernetes import risks

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "config.md"
HEAD = "| risk | what may happen | CIS | carried by |\n|---|---|---|---|\n"


def test_the_reference_has_the_table_of_risks(request: pytest.FixtureRequest) -> None:
    before, _, rest = PAGE.read_text().partition(HEAD)
    _, _, after = rest.partition("\n\n")
    page = f"{before}{HEAD}{_rows()}\n\n{after}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def _rows() -> str:
    return "\n".join(
        f"| `{name}` | {risk['why']} | {risk.get('cis', '')} | {'; '.join(_causes(risk))} |"
        for name, risk in risks.table().items()
    )


def _causes(risk: Mapping[str, Any]) -> list[str]:
    paths = f" with {', '.join(f'`{path}`' for path in risk['paths'])}, above or below" if "paths" in risk else ""
    said = [f"{risk['also']}{paths}"] if "also" in risk else []
    return [
        *(
            f"{program} `{flag}` {_values(rule)}"
            for program, flags in risk.get("flags", {}).items()
            for flag, rule in flags.items()
        ),
        *said,
    ]


def _values(rule: Mapping[str, Any]) -> str:
    words = {
        "on": "true",
        "off": "false",
        "set": "with any value",
        "nonzero": "other than 0",
        "zero": "0",
        "network": "other than loopback",
        "plain": "without https",
    }
    parts = [words[rule["opens"]]] if "opens" in rule else []
    parts += [f"with {', '.join(rule['has'])}"] if "has" in rule else []
    parts += [f"without {' or '.join(rule['lacks'])}"] if "lacks" in rule else []
    parts += [f"with more than {', '.join(rule['beyond'])}"] if "beyond" in rule else []
    return ", or ".join([*parts, *(["taken out"] if rule.get("empty") else [])])
