"""Asks the router of this edge host for the readiness of every service; prints {service: reason} of those not ready."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

asked = json.loads("ARGUMENT")


def ready(item):
    service, path = item
    connection = http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=5)
    try:
        connection.request("GET", path, headers={"Host": service, "X-Nexus-Service": service})
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors="replace")
        return "" if answer.status == 200 else f"{answer.status} {text}"
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()


with ThreadPoolExecutor(8) as pool:
    print(json.dumps(dict(zip(asked["probes"], pool.map(ready, asked["probes"].items()), strict=True))))
