"""Runs on an ops host: the alerts that its Alertmanager knows. Changes nothing."""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.lib import RemoteError

ACTIVE = "/api/v2/alerts?active=true&silenced=false&inhibited=false"


def alerts(context: Mapping[str, Any]) -> dict[str, Any]:
    """Firing alerts that are neither silenced nor inhibited: labels, annotations, and the time of their start."""
    trust = ssl.create_default_context(cafile=context["ca"])
    trust.load_cert_chain(context["certificate"], context["key"])
    connection = HTTPSConnection(context["address"], int(context["port"]), timeout=3, context=trust)
    answer = http.ask(connection, "GET", ACTIVE)
    if answer.status != 200:
        raise RemoteError(f"Alertmanager answers {answer.status} {answer.reason}")
    return {
        "alerts": [
            {"labels": one["labels"], "annotations": one["annotations"], "at": one["startsAt"]}
            for one in json.loads(answer.body)
        ]
    }


PARTS = {"alerts": alerts}
