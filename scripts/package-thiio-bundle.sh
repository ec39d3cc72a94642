#!/bin/sh
# Makes pages and bundles of the handoff in dist/, from the stored observation of the hosts of NEXUS_ENV.
# Arguments: observation=none for the plan alone, drift=allow to list differences. `make handoff` asks the hosts.
set -eu
cd "$(dirname "$0")/.."
make -s .venv/ready
exec .venv/bin/python -m runbooks.handoff "${NEXUS_ENV:-lab}" "$@"
