"""Services: a manager of the swarm has each of the catalogue, and all their tasks run."""

from roles.service.stack import NAME as STACK

testinfra_hosts = ["app[0]"]


def test_stack_is_for_root_alone(host):
    stack = host.file("/etc/nexus-cos/stack.yaml")
    assert (stack.user, stack.group, stack.mode) == ("root", "root", 0o600)


def test_swarm_has_every_service(host, env):
    found = host.check_output("docker service ls --format '{{.Name}}'").splitlines()
    assert env.catalogue.services
    assert {f"{STACK}_{name}" for name in env.catalogue.services} <= set(found)


def test_all_tasks_run(host):
    lines = host.check_output("docker service ls --format '{{.Name}} {{.Replicas}}'").splitlines()
    counts = {name: count.split("/") for name, count, *_ in map(str.split, lines)}
    assert {name: count for name, count in counts.items() if count[0] != count[1]} == {}
    assert counts
