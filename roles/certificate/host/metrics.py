"""Runs on a host: the times of its certificates as metrics. Changes nothing."""

import os
import ssl
from collections.abc import Iterator

from nexus.agent.lib import run
from nexus.agent.metrics import Sample
from roles.certificate.host.stock import read, until


def samples(paths: list[str]) -> Iterator[Sample]:
    """When each certificate begins and ends, and when the last one ends that is prepared."""
    for path in filter(os.path.exists, paths):
        told = run(["openssl", "x509", "-noout", "-startdate", "-enddate", "-in", path])
        times = dict(line.split("=", 1) for line in told.splitlines())
        yield "nexus_certificate_begins_seconds", {"path": path}, ssl.cert_time_to_seconds(times["notBefore"])
        yield "nexus_certificate_ends_seconds", {"path": path}, ssl.cert_time_to_seconds(times["notAfter"])
    yield "nexus_certificate_prepared_until_seconds", {}, until(read())
