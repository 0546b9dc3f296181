"""Put off a module that a library imports and hardly ever uses."""

from __future__ import annotations

import importlib.util
import sys
import threading
from types import ModuleType


def defer(name: str) -> None:
    """Have a module executed at the first use of one of its names, unless it is imported already or not there.

    Not by importlib.util.LazyLoader: before Python 3.12 the import statement itself counts as a use.
    """
    if name in sys.modules or (spec := importlib.util.find_spec(name)) is None:
        return
    first = threading.RLock()  # taken again where the module, while it is executed, uses its own name

    def look_up(attribute: str) -> object:
        with first:
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
            return getattr(importlib.import_module(name), attribute)

    stand_in = sys.modules[name] = ModuleType(name)
    stand_in.__spec__ = spec
    stand_in.__getattr__ = look_up  # type: ignore[method-assign] # PEP 562
