r"""Production: 8 hosts of the provider ssh. Edit it as the environment changes. It was written by

    make environment NEXUS_ENV=production DOMAIN=nexuscos.example.com HOSTS="edge1.production=198.51.100.11, \
        app1.production=198.51.100.21, app2.production=198.51.100.22, app3.production=198.51.100.23, \
        data1.production=198.51.100.31, data2.production=198.51.100.32, data3.production=198.51.100.33, \
        ops1.production=198.51.100.41" MONGODB=yes PROVIDER=ssh SIZES="16x64, edge=4x8" \
        SSH_KEY=~/.ssh/nexus-production

These hosts exist. They are reached as the operator's ssh configuration says for their ssh_hostname, also through a
bastion (ProxyJump); hosts reach each other at `address`. Only host keys in the file of known hosts are accepted.
"""


def _host(name, address, place="", **more):
    return name, {
        "address": address,
        "ssh_hostname": place or address,
        "ssh_user": "deploy",  # base_user: the first run closes SSH to every other user
        "ssh_key": "~/.ssh/nexus-production",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "ssh_known_hosts_file": "inventory/production.known_hosts",
        "ssh_strict_host_key_checking": "yes",
        **more,
    }


edge = [_host("edge1.production", "198.51.100.11")]  # serves all clients
# services move to the others when one fails
app = [
    _host("app1.production", "198.51.100.21"),
    _host("app2.production", "198.51.100.22"),
    _host("app3.production", "198.51.100.23"),
]
# hosts of stores, and those that leave a store
data = [
    _host("data1.production", "198.51.100.31"),
    _host("data2.production", "198.51.100.32"),
    _host("data3.production", "198.51.100.33"),
]
ops = [_host("ops1.production", "198.51.100.41")]  # registry, images, metrics, logs

etcd = ["data1.production", "data2.production", "data3.production"]  # one member may fail
postgresql = ["data1.production", "data2.production", "data3.production"]  # one member may fail
redis = ["data1.production", "data2.production", "data3.production"]  # one member may fail
rabbitmq = ["data1.production", "data2.production", "data3.production"]  # one member may fail
mongodb = ["data1.production", "data2.production", "data3.production"]  # one member may fail
storage = ["ops1.production"]  # backups and packed logs; not on a data host, which they shall outlive
