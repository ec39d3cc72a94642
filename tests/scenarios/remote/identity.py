"""Prints what must stay the same when nothing is done: processes of our units, containers, specs of services."""

import json
import shutil
import subprocess


def said(*words):
    if not shutil.which(words[0]):
        return []
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


units = said("systemctl", "list-units", "--type=service", "--state=running", "--plain", "--no-legend")
names = sorted(word for word in units if word.endswith(".service") and not word.startswith(("user@", "session")))
shown = said("systemctl", "show", "--property=Id,MainPID,ExecMainStartTimestampMonotonic", *names)
containers = said("docker", "ps", "--no-trunc", "--format", "{{.ID}}")
services = said("docker", "service", "ls", "-q")
print(
    json.dumps(
        {
            "units": shown,
            "containers": {
                name: said("docker", "inspect", "--format", "{{.State.Pid}}", name) for name in sorted(containers)
            },
            "services": sorted(
                said("docker", "service", "inspect", "--format", "{{.Spec.Name}}={{.Version.Index}}", *services)
            )
            if services
            else [],
        }
    )
)
