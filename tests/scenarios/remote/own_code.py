"""Asks every service, through the router, on a path that only its own code has; prints {service: who answered}."""

import http.client
import json

asked = json.loads("ARGUMENT")


def answered(service):
    path = "/law" if service == "billing-service" else f"/{service}"
    connection = http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=10)
    try:
        headers = {"Host": service, "X-Nexus-Service": service, "X-N3XUS-Handshake": asked["handshake"]}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors="replace")
        try:
            found = json.loads(text)
        except ValueError:
            return f"{answer.status} {text}"
        own = answer.status == 200 and set(found) <= {
            "service",
            "path",
        }  # the reference service answers with more fields
        return found["service"] if own else f"{answer.status} {text}"
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()


print(json.dumps({service: answered(service) for service in asked["names"]}))
