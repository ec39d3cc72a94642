#!/bin/sh
# Builds the servers of Kubernetes that go.mod in servers/ names, and fetches the definitions of what is no part of it.
# Both are kept by version below ~/.cache/nexus-cos/kubernetes, so that the next call only looks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
servers="kube-apiserver kube-controller-manager kube-scheduler"
command -v go >/dev/null || {
    echo "go is missing: Go 1.24 or newer builds the servers of Kubernetes. Install it, and rerun" >&2
    exit 1
}
version=$(cd "$here/servers" && go list -mod=readonly -m -f '{{.Version}}' k8s.io/kubernetes)
target="${XDG_CACHE_HOME:-$HOME/.cache}/nexus-cos/kubernetes/$version"
sums=$(cat "$here"/servers/go.* "$here"/definitions/go.* | sha256sum)
[ "$(cat "$target/built" 2>/dev/null || true)" = "$sums" ] && exit 0

echo "builds Kubernetes $version into $target: see docs/kubernetes.md for the time that it takes"
rm -f "$target/built"
mkdir -p "$target/definitions"
cd "$here/definitions"
go mod download sigs.k8s.io/gateway-api github.com/external-secrets/external-secrets
cp "$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)"/config/crd/standard/*.yaml "$target/definitions"
cp "$(go list -m -f '{{.Dir}}' github.com/external-secrets/external-secrets)"/config/crds/bases/external-secrets.io_externalsecrets.yaml \
    "$target/definitions"
cd "$here/servers"
about=k8s.io/component-base/version
minor=$(echo "$version" | cut -d. -f2)
stamp="-X $about.gitVersion=$version -X $about.gitMajor=1 -X $about.gitMinor=$minor"
packages=""
for name in $servers; do
    packages="$packages k8s.io/kubernetes/cmd/$name"
done
# shellcheck disable=SC2086 # a list of packages
go build -mod=readonly -trimpath -ldflags "-s -w $stamp" -o "$target/" $packages
echo "$sums" >"$target/built"
echo "CPU time of this script, then of what it started:"
times
