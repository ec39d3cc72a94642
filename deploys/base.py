"""Base: packages, names, login, journal, metrics and certificates of every host."""

from roles.base import base
from roles.certificate import certificate

base()
certificate()
