"""Provider aws from the command line: an environment is made and removed by the two deploys."""

from __future__ import annotations

from tests.plan.aws_cloud import KEY, Account
from tests.plan.aws_server import IMAGE
from tests.plan.project_copy import Project, refused

INVENTORY = """
from nexus.provider.aws.inventory import groups as _groups

_STORES = {"data": ["data1"], "etcd": ["data1"], "postgresql": ["data1"]}
_PLANNED = {"edge": ["edge1"], "app": ["app1"], "ops": ["app1"], **_STORES}
globals().update(_groups("cloud", "eu-central-1", _PLANNED))
"""
SETTINGS = f"""
provider = "aws"
aws_image = "{IMAGE}"
aws_authorized_keys = ["{KEY}"]
secrets_generate = True
"""
PROVISION, DESTROY = ("@local", "deploys/provision.py"), ("@local", "deploys/destroy.py")


def test_from_nothing_to_nothing(account: Account, project: Project) -> None:
    project.append("inventory/cloud.py", INVENTORY)
    project.append("group_data/cloud.py", SETTINGS)
    env = {"NEXUS_ENV": "cloud"}
    dry = project.run(*PROVISION, "--dry", env=env)
    assert dry.status == 0, dry.text
    assert "would 1/" in dry.text
    assert "a month: " in dry.text
    assert account.instances() == []
    made = project.run(*PROVISION, "-y", env=env)
    assert made.status == 0, made.text
    steps = [line.split(": ", 1)[1] for line in dry.text.splitlines() if " would " in line]
    assert all(step in made.text for step in steps)
    assert len(account.instances()) == 3
    assert "nothing to do" in project.run(*PROVISION, "-y", env=env).text
    listed = project.run("inventory", "debug-inventory", env=env).text
    private = account.instances()[0]["PrivateIpAddress"]
    assert private in listed
    refused(project, project.run(*DESTROY, "-y", env=env), "to do so, add --data environment=cloud")
    name = ("--data", "environment=cloud")
    refused(project, project.run(*DESTROY, *name, "-y", env=env), "cloud has data in volume data1/etcd")
    assert len(account.instances()) == 3
    gone = project.run(*DESTROY, *name, "--data", "volumes=yes", "-y", env=env)
    assert gone.status == 0, gone.text
    assert account.tagged("cloud") == []
