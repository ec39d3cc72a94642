#!/bin/sh
# The daemons that tests of configuration start by themselves on loopback: installed, never started as services.
command -v nginx >/dev/null && command -v haproxy >/dev/null && command -v etcd >/dev/null && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0 # tests that need them say that they are left out
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod +x "$guard"
    trap 'rm -f "$guard"' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends nginx haproxy etcd-server >/dev/null || echo "nginx, haproxy and etcd could not be installed" >&2
