"""The lab: eight hosts on the local machine, created by `pyinfra @local deploys/provision.py`.

It contains only groups. The group of a store names the hosts that run it; an empty group means that it is absent.
"""


def _host(name, address):
    return name, {
        "address": address,
        "ssh_hostname": address,
        "ssh_user": "deploy",
        "ssh_key": ".lab/id_ed25519",
        "ssh_known_hosts_file": ".lab/known_hosts",
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": "none",  # ignore the operator's own configuration
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }


edge = [_host("edge1", "10.213.0.11")]
app = [_host("app1", "10.213.0.21"), _host("app2", "10.213.0.22"), _host("app3", "10.213.0.23")]
data = [_host("data1", "10.213.0.31"), _host("data2", "10.213.0.32"), _host("data3", "10.213.0.33")]
ops = [_host("ops1", "10.213.0.41")]

etcd = ["data1", "data2", "data3"]
postgresql = ["data1", "data2", "data3"]
redis = ["data1", "data2", "data3"]
rabbitmq = ["data1", "data2", "data3"]
mongodb = []  # only the vendor packages it for Debian 13, and a lab cannot rely on the vendor's servers
storage = ["ops1"]

one_machine = [*edge, *app, *data, *ops]  # they share the machine's cores, memory and clock
