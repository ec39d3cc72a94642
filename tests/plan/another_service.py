"""The catalogue with a 44th service, which is one entry in services.yaml."""

from __future__ import annotations

from pathlib import Path

from nexus.catalogue import Catalogue, load
from tests.plan.catalogue_copy import edited

NAME, PORT = "recommender", 3199
ENTRY = f"""\
  - {{name: {NAME}, port: {PORT}, category: ai, domain: ai, startup_phase: 4, replicas: 2, cpu: 500m, memory: 1Gi,
     depends_on: [kei-ai], stores: [redis], purpose: Suggestions}}

"""


def catalogue(directory: Path) -> Catalogue:
    """The catalogue from a copy of its files below this directory."""
    found = load(edited(directory, "services.yaml", ("runtime_links:\n", f"{ENTRY}runtime_links:\n")))
    assert len(found.services) == 44
    return found
