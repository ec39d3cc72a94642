"""A second lab with two hosts of each kind that the lab has once: edge and ops. Stores are on one host.

Scenarios use it for what only several edge or ops hosts can show. It may run next to the lab.
"""


def _host(name, address):
    return name, {
        "address": address,
        "ssh_hostname": address,
        "ssh_user": "deploy",
        "ssh_key": ".lab/lab_wide/id_ed25519",
        "ssh_known_hosts_file": ".lab/lab_wide/known_hosts",
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": "none",  # ignore the operator's own configuration
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


edge = [_host("edge1", "10.213.0.111"), _host("edge2", "10.213.0.112")]
app = [_host("app1", "10.213.0.121")]
data = [_host("data1", "10.213.0.131")]
ops = [_host("ops1", "10.213.0.141"), _host("ops2", "10.213.0.142")]

etcd = ["data1"]
postgresql = ["data1"]
redis = ["data1"]
rabbitmq = ["data1"]
mongodb = []  # only the vendor packages it for Debian 13, and a lab cannot rely on the vendor's servers
storage = ["ops1"]

one_machine = [*edge, *app, *data, *ops]  # settings for hosts on the local machine
