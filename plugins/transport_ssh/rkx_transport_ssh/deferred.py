"""Put off a module that a library imports and hardly ever uses."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def defer(name: str) -> None:
    """Have a module executed at the first use of one of its names, unless it is imported already or not there.

    Not by importlib.util.LazyLoader: before Python 3.12 the import statement itself counts as a use. The first use must
    come from one thread at a time.
    """
    if name in sys.modules or importlib.util.find_spec(name) is None:
        return

    def look_up(attribute: str) -> object:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)

    stand_in = sys.modules[name] = ModuleType(name)
    stand_in.__getattr__ = look_up  # type: ignore[method-assign] # PEP 562
