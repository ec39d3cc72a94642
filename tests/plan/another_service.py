"""The catalogue with a 44th service, which is one entry in services.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path

from nexus.catalogue import DIRECTORY, load
from nexus.catalogue.catalogue import Catalogue

NAME, PORT = "recommender", 3199
ENTRY = f"""\
  - {{name: {NAME}, port: {PORT}, category: ai, domain: ai, startup_phase: 4, replicas: 2, cpu: 500m, memory: 1Gi,
     depends_on: [kei-ai], stores: [redis], purpose: Suggestions}}

"""


def catalogue(directory: Path) -> Catalogue:
    """The catalogue from a copy of its files in this directory."""
    copy = directory / "catalogue"
    shutil.copytree(DIRECTORY, copy)
    text = (copy / "services.yaml").read_text()
    (copy / "services.yaml").write_text(text.replace("runtime_links:\n", f"{ENTRY}runtime_links:\n"))
    found = load(copy)
    assert len(found.services) == 44
    return found
