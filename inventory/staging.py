"""Staging: an example of an environment on existing hosts. Replace the addresses with your own.

Nothing creates these hosts (the setting `provider` is "ssh"): they run Debian 13 and are reached by SSH as user
`deploy`, who may use sudo without a password. The person who sets up the hosts writes the known hosts file: an
unknown host key is never accepted.

Hosts are reached as the operator's ~/.ssh/config says for their ssh_hostname, also through a bastion (ProxyJump).
ssh_config_file names another file for everyone who works with this environment; "none" reads no file.
"""


def _host(name, address):
    return name, {
        "address": address,
        "ssh_hostname": address,
        "ssh_user": "deploy",
        "ssh_key": "~/.ssh/nexus-staging",
        "ssh_known_hosts_file": "~/.ssh/known_hosts.nexus-staging",
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


edge = [_host("edge1.staging", "192.0.2.11")]
app = [_host("app1.staging", "192.0.2.21")]
data = [_host("data1.staging", "192.0.2.31")]
ops = [_host("ops1.staging", "192.0.2.41")]

etcd = ["data1.staging"]
postgresql = ["data1.staging"]
redis = ["data1.staging"]
rabbitmq = ["data1.staging"]
mongodb = ["data1.staging"]
storage = []
