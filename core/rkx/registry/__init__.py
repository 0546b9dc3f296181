"""The one door to plugins: stevedore finds the chosen ones, pluggy holds them, typed methods call them.

Every method asks one plugin at a time, checks what comes back, and names plugin and distribution in each fault.
"""

from rkx.registry.calls import Chosen
from rkx.registry.find import Installed, find, installed
from rkx.registry.plugins import Plugins

__all__ = ["Chosen", "Installed", "Plugins", "find", "installed"]
