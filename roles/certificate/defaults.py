"""Settings of the certificate role."""

from __future__ import annotations

certificate_names: list[str] = []  # further names for the leaf certificate of a host or group
