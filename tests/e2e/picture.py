"""What there is on a machine, part by part, so that before and after can be compared."""

from __future__ import annotations

from rkx_lab import inside
from rkx_lab.state import Lab

# What the Engine and sshd keep for themselves, and what is no file: links, rules and mounts are listed.
NOT_LOOKED_AT = (
    "/proc",
    "/sys",
    "/dev",
    "/var/lib/docker",
    "/run/docker*",
    "/run/containerd*",
    "/var/run/docker*",
    "/var/log/dockerd.log",
    "/var/log/sshd.log",
    "/var/log/wtmp",
    "/var/log/lastlog",
    "/run/utmp",
    "/run/xtables.lock",  # every iptables makes it, and to delete it would part those who wait for it
)
PRUNED = " -o ".join(f"-path '{path}'" for path in NOT_LOOKED_AT)
RULES = "sed -n '/^\\*/{s/^.//;h}; /^:[^ ]* -/{G;p}; /^-A/{G;p}' | paste - -"
PARTS = {
    "containers": "docker ps -aq | xargs -r docker inspect --format '{{.Name}} {{.Id}} {{.State.StartedAt}}'",
    "volumes": "docker volume ls -q",
    "networks": "docker network ls --no-trunc --format '{{.Name}} {{.ID}}'",
    "mounts": "awk '$5 !~ \"^/(var/)?run/docker/\" {print $5, $4, $6}' /proc/self/mountinfo",
    "links": "ip -o link | sed 's/^[0-9]*: //; s/@.*link/ link/; s/: .* link/ link/'",
    "routes": "ip route show table all; ip -6 route show table all; ip rule; ip -6 rule",
    "rules": f"for p in iptables iptables-legacy ip6tables ip6tables-legacy; do $p-save 2>/dev/null | {RULES}; done",
    "files": "find / \\( " + PRUNED + " \\) -prune -o \\( ! -type d -printf '%p %y %m %U:%G %s %T@ %l\\n' \\) "
    "-o -printf '%p %y %m %U:%G\\n'",
}

Picture = dict[str, list[str]]


def take(lab: Lab, machine: str) -> Picture:
    """List containers, volumes, networks, mounts, links, routes, rules and files of a machine.

    Of a folder rights and owner count, of a file size, time and target as well. Of iptables the counters and the empty
    built-in chains, which appear when somebody looks at a table, do not.
    """
    return {part: sorted(inside.run(lab, machine, "sh", "-c", command).splitlines()) for part, command in PARTS.items()}


def differences(before: Picture, after: Picture) -> list[str]:
    """List what went and what came, a line each."""
    found = []
    for part in PARTS:
        was, now = before[part], after[part]
        found += [f"{part}: gone: {line}" for line in was if line not in set(now)]
        found += [f"{part}: new: {line}" for line in now if line not in set(was)]
    return found
