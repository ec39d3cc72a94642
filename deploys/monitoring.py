"""Logs and metrics of every host and daemon, and the alerts about them.

    pyinfra inventory deploys/monitoring.py -y

A change of targets, rules or receivers is a reload.
"""

from pyinfra import host

from nexus.run.converge import layer
from roles.alertmanager import alertmanager
from roles.elk import elk
from roles.exporter import exporter
from roles.firewall import open_ports
from roles.grafana import grafana
from roles.log_forwarder import log_forwarder
from roles.log_store import log_store
from roles.prometheus import prometheus

open_ports()
layer("logs and metrics")
if "ops" in host.groups:
    log_store()
log_forwarder()
exporter()
if "ops" in host.groups:
    alertmanager()
    prometheus()
    grafana()
    elk()
