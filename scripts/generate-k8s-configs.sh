#!/bin/sh
# Renders the Kubernetes manifests of NEXUS_ENV, where this version has a deploy that does it.
set -eu
cd "$(dirname "$0")/.."
if [ ! -f deploys/kubernetes.py ]; then
    echo "error: this version renders no Kubernetes manifests: deploys/kubernetes.py is missing." \
        "The platform runs on Docker Swarm: make deploy" >&2
    exit 1
fi
make -s .venv/ready
exec .venv/bin/pyinfra inventory deploys/kubernetes.py "$@"
