r"""Staging: 4 hosts of the provider ssh. Edit it as the environment changes. It was written by

    make environment NEXUS_ENV=staging DOMAIN=nexuscos.example.com HOSTS="edge1.staging=192.0.2.11, \
        app1.staging=192.0.2.21, data1.staging=192.0.2.31, ops1.staging=192.0.2.41" MONGODB=yes PROVIDER=ssh \
        SIZES="16x64, edge=4x8" SSH_KEY=~/.ssh/nexus-staging

These hosts exist. They are reached as the operator's ssh configuration says for their ssh_hostname, also through a
bastion (ProxyJump); hosts reach each other at `address`. Only host keys in the file of known hosts are accepted.
"""


def _host(name, address, place="", **more):
    return name, {
        "address": address,
        "ssh_hostname": place or address,
        "ssh_user": "deploy",  # base_user: the first run closes SSH to every other user
        "ssh_key": "~/.ssh/nexus-staging",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "ssh_known_hosts_file": "inventory/staging.known_hosts",
        "ssh_strict_host_key_checking": "yes",
        **more,
    }


edge = [_host("edge1.staging", "192.0.2.11")]  # serves all clients
app = [_host("app1.staging", "192.0.2.21")]  # nothing runs without it
data = [_host("data1.staging", "192.0.2.31")]  # hosts of stores, and those that leave a store
ops = [_host("ops1.staging", "192.0.2.41")]  # registry, images, metrics, logs

etcd = ["data1.staging"]  # a single member: down while its host is down
postgresql = ["data1.staging"]  # a single member: down while its host is down
redis = ["data1.staging"]  # a single member: down while its host is down
rabbitmq = ["data1.staging"]  # a single member: down while its host is down
mongodb = ["data1.staging"]  # a single member: down while its host is down
storage = ["ops1.staging"]  # backups and packed logs; not on a data host, which they shall outlive
