"""Production: an example of the full size on existing hosts. Replace the addresses with your own.

Like staging.py, with the key held by the SSH agent or in the file named here. Hosts use `address` among
themselves; this machine reaches them at `ssh_hostname`, and the two may differ.
"""


def _host(name, address):
    return name, {
        "address": address,
        "ssh_hostname": address,
        "ssh_user": "deploy",
        "ssh_key": "~/.ssh/nexus-production",
        "ssh_known_hosts_file": "~/.ssh/known_hosts.nexus-production",
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


edge = [_host("edge1.production", "198.51.100.11")]
app = [
    _host("app1.production", "198.51.100.21"),
    _host("app2.production", "198.51.100.22"),
    _host("app3.production", "198.51.100.23"),
]
data = [
    _host("data1.production", "198.51.100.31"),
    _host("data2.production", "198.51.100.32"),
    _host("data3.production", "198.51.100.33"),
]
ops = [_host("ops1.production", "198.51.100.41")]

etcd = ["data1.production", "data2.production", "data3.production"]
postgresql = ["data1.production", "data2.production", "data3.production"]
redis = ["data2.production"]
rabbitmq = ["data3.production"]
mongodb = ["data3.production"]
storage = []
