"""Eight simulated hosts with all roles, for any number of services: see benchmarks/simulated.py."""

from benchmarks import generated as _generated
from benchmarks import simulated as _simulated

_simulated.install()
_generated.install()


def _host(name, number):
    return name, {"address": f"192.0.2.{number}", "ssh_hostname": f"192.0.2.{number}", "ssh_user": "deploy"}


edge = [_host("edge1", 11)]
app = [_host("app1", 21), _host("app2", 22), _host("app3", 23)]
data = [_host("data1", 31), _host("data2", 32), _host("data3", 33)]
ops = [_host("ops1", 41)]

etcd = ["data1", "data2", "data3"]
postgresql = ["data1", "data2", "data3"]
redis = ["data1", "data2", "data3"]
rabbitmq = ["data1", "data2", "data3"]
mongodb: list[str] = []
storage = ["ops1"]

one_machine = [*edge, *app, *data, *ops]
