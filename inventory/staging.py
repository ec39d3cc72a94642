"""Staging: an example of an environment whose hosts exist already. Replace the addresses with your own.

Nothing makes these hosts (the setting `provider` is "ssh"): they are Debian 13, reached by SSH as `deploy`,
who may use sudo without a password. The known hosts file is written by whoever sets the hosts up: a host
key is never accepted at first sight.

Hosts are reached as the operator's ~/.ssh/config says of their ssh_hostname, through a bastion (ProxyJump) too.
ssh_config_file names another file for everyone who works with this environment; "none" reads none.
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
