"""Make the go.mod of Kubernetes' programs for one version; pure."""

import re

_HEAD = """\
module rkx/images/kubernetes

go {go}
{godebug}
require (
	github.com/spf13/cobra {cobra}
	k8s.io/component-base {staging}
	k8s.io/kubectl {staging}
	k8s.io/kubernetes {version}
)

replace (
{replaces}
)
"""


def minor_of(version: str) -> int:
    """Read the minor out of a version such as v1.34.4."""
    return int(version.split(".")[1])


def kubernetes_modfile(version: str, upstream: str) -> str:
    """Derive the go.mod from upstream's own.

    Upstream replaces its staging modules by folders. A dependency's replace lines do not count, so each is
    repeated here with the published version; nor is its godebug inherited, on which TLS defaults depend.
    """
    staging = "v0." + version.removeprefix("v1.")
    names = sorted(set(re.findall(r"^\s*(?:replace )?(k8s\.io/[a-z-]+) => \./staging/", upstream, re.MULTILINE)))
    return _HEAD.format(
        go=_first(r"^go (\S+)$", upstream),
        godebug=_godebug(upstream),
        cobra=_first(r"^\s*(?:require )?github\.com/spf13/cobra (\S+)", upstream),
        staging=staging,
        version=version,
        replaces="\n".join(f"\t{name} => {name} {staging}" for name in names),
    )


def _godebug(upstream: str) -> str:
    found = re.search(r"^godebug (?:\([^)]*\)|.+)$", upstream, re.MULTILINE)
    return f"\n{found[0]}\n" if found else ""


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise ValueError(f"nothing in upstream's go.mod matches {pattern!r}")
    return found[1]
