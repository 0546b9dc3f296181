"""The yardstick when there is nothing to do: the libraries that such a run imports, and one SSH login.

login.py ADDRESS KEY KNOWN_HOSTS FILE.json, the last one written by counted.py
"""

import json
import sys
from importlib import import_module
from pathlib import Path

address, key, known_hosts, counted = sys.argv[1:]
for name in json.loads(Path(counted).read_text())["libraries"]:
    import_module(name)
from paramiko import SSHClient  # noqa: E402 - one of them

with SSHClient() as client:
    client.load_host_keys(known_hosts)
    client.connect(address, username="root", key_filename=key, allow_agent=False, look_for_keys=False)
