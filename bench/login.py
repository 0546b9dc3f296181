"""The yardstick when there is nothing to do: rkx's imports and one SSH login: login.py ADDRESS KEY KNOWN_HOSTS."""

import sys

import click  # noqa: F401 - imported for the time it takes, as those below
import cryptography.x509  # noqa: F401
import docker  # noqa: F401
import paramiko
import pluggy  # noqa: F401
import requests  # noqa: F401
import stevedore  # noqa: F401
import yaml  # noqa: F401

address, key, known_hosts = sys.argv[1:]
with paramiko.SSHClient() as client:
    client.load_host_keys(known_hosts)
    client.connect(address, username="root", key_filename=key, allow_agent=False, look_for_keys=False)
