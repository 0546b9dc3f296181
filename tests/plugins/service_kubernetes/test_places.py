"""What services write as JSON."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from rkx_service_kubernetes.service_dirs import as_json


def test_read_only_mappings_of_options_are_written() -> None:
    rules = (MappingProxyType({"level": "Metadata"}),)
    written = as_json(MappingProxyType({"kind": "Policy", "rules": rules}))
    assert json.loads(written) == {"kind": "Policy", "rules": [{"level": "Metadata"}]}


def test_what_json_does_not_know_is_a_fault() -> None:
    with pytest.raises(TypeError, match="set"):
        as_json({"rules": {1}})
