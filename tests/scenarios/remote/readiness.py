"""Runs on an edge host: asks the router for the readiness of services repeatedly, until a file appears.

Prints {"asked": number of answers, "failed": [[seconds since the start, service, answer]]}.
"""

import http.client
import json
import os
import threading
import time

asked = json.loads("ARGUMENT")
began, lock, found = time.monotonic(), threading.Lock(), {"asked": 0, "failed": []}


def ready(connection, service, path):
    lasted = connection.sock is not None  # a connection may have been closed meanwhile: retry once on a new one
    try:
        connection.request("GET", path, headers={"Host": service, "X-Nexus-Service": service})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return "" if answer.status == 200 else f"{answer.status} {text[:300]}"
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return ready(connection, service, path) if lasted else f"{type(error).__name__}: {error}"


def ask(service, path):
    connection = http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=10)
    end = began + asked["seconds"]
    while time.monotonic() < end and not os.path.exists(asked["stop"]):
        why = ready(connection, service, path)
        with lock:
            found["asked"] += 1
            if why:
                found["failed"].append([round(time.monotonic() - began, 1), service, why])
        time.sleep(asked["pause"])


threads = [threading.Thread(target=ask, args=item) for item in asked["probes"].items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(found))
