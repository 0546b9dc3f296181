"""The yardstick when there is nothing to do: the libraries of ``rkx up``, and one SSH login.

login.py ADDRESS KEY KNOWN_HOSTS [FILE.json]: with a file that counted.py wrote, only what that run imported of them.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

UP = ("click", "cryptography.x509", "docker", "paramiko", "pluggy", "requests", "stevedore", "yaml")

address, key, known_hosts, *counted = sys.argv[1:]
if counted:
    sys.modules["invoke"] = ModuleType("invoke")  # paramiko imports it, rkx puts that off
for name in json.loads(Path(counted[0]).read_text())["libraries"] if counted else UP:
    import_module(name)
from paramiko import SSHClient  # noqa: E402 - one of them

with SSHClient() as client:
    client.load_host_keys(known_hosts)
    client.connect(address, username="root", key_filename=key, allow_agent=False, look_for_keys=False)
