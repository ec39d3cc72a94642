"""One host in every group: the smallest complete platform, on the local machine, also next to the lab."""

_box1 = (
    "box1",
    {
        "address": "10.213.0.51",
        "ssh_hostname": "10.213.0.51",
        "ssh_user": "deploy",
        "ssh_key": ".lab/box/id_ed25519",
        "ssh_known_hosts_file": ".lab/box/known_hosts",
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": "none",  # ignore the operator's own configuration
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    },
)

edge = [_box1]
app = [_box1]
data = [_box1]
ops = [_box1]

etcd = ["box1"]
postgresql = ["box1"]
redis = ["box1"]
rabbitmq = ["box1"]
mongodb = []  # only the vendor packages it for Debian 13, and a lab cannot rely on the vendor's servers
storage = ["box1"]

one_machine = [_box1]  # settings for hosts on the local machine
