"""Asks the registry, from any host with its login, for images by their references REGISTRY/NAME:TAG@DIGEST.

Prints those that it does not hold completely: {reference: reason}.
"""

import http.client
import json
import ssl

CA = "/etc/nexus-cos/tls/ca.pem"
asked = json.loads("ARGUMENT")
with open("/root/.docker/config.json") as stream:
    logins = json.load(stream)["auths"]
TYPE = "application/vnd.docker.distribution.manifest.v2+json"
found = {}
for reference in asked:
    name, _, digest = reference.partition("@")
    registry, _, path = name.partition("/")
    repository = path.rpartition(":")[0]
    headers = {"Authorization": f"Basic {logins[registry]['auth']}", "Accept": TYPE}
    host, _, port = registry.partition(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=ssl.create_default_context(cafile=CA))
    connection.request("GET", f"/v2/{repository}/manifests/{digest}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        found[reference] = f"manifest: {answer.status}"
        continue
    manifest = json.loads(body)
    for blob in [manifest["config"], *manifest["layers"]]:
        connection.request("HEAD", f"/v2/{repository}/blobs/{blob['digest']}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            found[reference] = f"blob {blob['digest']}: {answer.status}"
print(json.dumps(found))
