"""cluster.yml to values: line numbers, every mistake at once, RKE's schema, JSON Schema out."""

from __future__ import annotations

from rkx.config.decode import decode
from rkx.config.document import Document, Place
from rkx.config.json_schema import json_schema
from rkx.config.load import Loaded, load, load_text
from rkx.config.read import Mode
from rkx.config.show import bounded, show
from rkx.config.version import DEFAULT_KUBERNETES_VERSION

__all__ = [
    "DEFAULT_KUBERNETES_VERSION",
    "Document",
    "Loaded",
    "Mode",
    "Place",
    "bounded",
    "decode",
    "json_schema",
    "load",
    "load_text",
    "show",
]
