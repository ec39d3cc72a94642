#!/bin/sh
# Renders NEXUS_ENV as objects of Kubernetes into dist/kubernetes, and checks them.
set -eu
cd "$(dirname "$0")/.."
exec make -s kubernetes-files "$@"
