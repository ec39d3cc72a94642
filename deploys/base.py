"""Base: packages, names, login, journal, firewall and certificates of every host."""

from roles.base import base
from roles.certificate import certificate
from roles.firewall import open_ports

base()
open_ports(new_hosts=True)  # before anything listens or joins; deploys/firewall.py closes the others
certificate()
