"""Throw-away machines on this computer: containers that run sshd and a Docker Engine of their own, and a registry."""
