"""On a node: pulls the images of a release before a task needs them. Standard library only."""

import subprocess
from typing import Any

from nexus.agent.lib import run


def pull(context: dict[str, Any]) -> None:
    """Pull each of context["images"] that the engine does not have."""
    for image in context["images"]:
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode:
            run(["docker", "pull", "--quiet", image], timeout=600, env={"HOME": "/root"})
