#!/bin/sh
# The programs that tests of configuration start by themselves: daemons on loopback, an authority, promtool, amtool, mtail
# and a browser.
# They are installed, never started as services.
missing() {
    for program; do
        command -v "$program" >/dev/null || return 0
    done
    return 1
}

# fetch PROGRAM PACKAGE: only this program of a package that would also bring a daemon and its account
fetch() {
    directory=$(mktemp -d)
    (cd "$directory" && apt-get download -q -o APT::Sandbox::User=root "$2" >/dev/null && dpkg-deb -x "$2"_*.deb . &&
        install -m 0755 "usr/bin/$1" "/usr/local/bin/$1") || echo "$1 could not be installed" >&2
    rm -rf "$directory"
}

missing nginx haproxy etcd promtool amtool mtail chromium pebble pebble-challtestsrv || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0 # tests that need them say that they are left out
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod +x "$guard"
    trap 'rm -f "$guard"' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
if missing nginx haproxy etcd; then
    apt-get install -y -q --no-install-recommends nginx haproxy etcd-server >/dev/null || echo "nginx, haproxy and etcd could not be installed" >&2
fi
if missing pebble pebble-challtestsrv; then
    apt-get install -y -q --no-install-recommends pebble >/dev/null || echo "pebble could not be installed" >&2
fi
if missing promtool; then
    # Debian 12 has it only in the package of the daemon
    apt-get install -y -q --no-install-recommends promtool >/dev/null 2>&1 || fetch promtool prometheus
fi
if missing amtool; then
    fetch amtool prometheus-alertmanager
fi
if missing mtail; then
    fetch mtail mtail
fi
if missing chromium; then
    apt-get install -y -q --no-install-recommends chromium >/dev/null || echo "chromium could not be installed" >&2
fi
