"""Prints what this checkout makes, as JSON {name: checksum}: the bundles of the handoff, and all front ends.

python -m tests.plan.products DIRECTORY     front ends are built below DIRECTORY
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from roles.frontend.builder import build_all, unbuilt
from runbooks.handoff import archive
from tests.plan.front_end_builds import environment_settings
from tests.plan.real_edge import environment


def bundles() -> dict[str, str]:
    """Both bundles and their manifests, from the plan alone."""
    subprocess.run([sys.executable, "-m", "runbooks.handoff", "lab", "observation=none"], check=True, stdout=sys.stderr)
    return {path.name: archive.sha256(path.read_bytes()) for path in Path("dist").iterdir() if path.is_file()}


def front_ends(directory: Path) -> dict[str, str]:
    """The release of each front end, which its content names."""
    directory.mkdir(parents=True)
    env = environment(directory, **environment_settings(directory))
    return {slug: build.release for slug, build in build_all(env, unbuilt(env)).items()}


if __name__ == "__main__":
    made = bundles()
    print(json.dumps(made | front_ends(Path(sys.argv[1]).resolve())))
