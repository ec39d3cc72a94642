"""Base: packages, names, login, journal, firewall and certificates of every host."""

from roles.base import base
from roles.certificate import certificate
from roles.firewall import firewall

base()
firewall()  # no port is open to others for a moment, and a new host may enter
certificate()
