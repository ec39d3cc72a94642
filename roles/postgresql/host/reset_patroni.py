"""Runs on a host of etcd: removes what Patroni's members agreed on."""

from typing import Any

from nexus.agent.lib import run


def reset(context: dict[str, Any]) -> None:
    """Remove everything below the cluster's prefix; its members were stopped before."""
    tls = context["tls"]
    argv = ["etcdctl", f"--cacert={tls['ca']}", f"--cert={tls['certificate']}", f"--key={tls['key']}"]
    argv += [f"--endpoints={','.join(f'https://{point}' for point in context['endpoints'])}"]
    print(f"{run([*argv, 'del', '--prefix', context['prefix']]).strip()} keys removed")
