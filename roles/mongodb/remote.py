"""Users of the server on this host, by the vendor's shell over TLS on localhost.

What we made carries customData.managed = "nexus-cos"; only that is ever removed. Requests, passwords
among them, go to the shell over standard input.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Mapping
from typing import Any

from roles.kit.agent.base import RemoteError, run

Item = Mapping[str, Any]

READY_SECONDS = 60
SCRIPT = """
const request = JSON.parse(require("fs").readFileSync(0, "utf8"));
const address = `mongodb://127.0.0.1:${request.port}/admin?directConnection=true&tls=true&tlsCAFile=` +
  encodeURIComponent(request.ca);
function login() {
  const server = connect(address);
  server.auth({user: request.user, pwd: request.password});
  return server;
}
function administrator() {
  try {
    return login();
  } catch (error) {
    if (!request.change || error.codeName !== "AuthenticationFailed") throw error;
    // A server without any user lets one be made from localhost.
    connect(address).createUser({user: request.user, pwd: request.password, roles: ["root"]});
    return login();
  }
}
function existing(admin) {
  const found = {};
  for (const user of admin.runCommand({usersInfo: {forAllDBs: true}, showCustomData: true}).users) {
    const data = user.customData || {};
    if (data.managed !== "nexus-cos") continue;
    found[`user ${user.db}.${user.user}`] = {
      service: data.service, fingerprint: data.fingerprint,
      roles: user.roles.map((role) => `${role.role}@${role.db}`).sort(),
    };
  }
  return found;
}
function split(name) {
  const [database, user] = name.replace(/^user /, "").split(".");
  return [admin.getSiblingDB(database), user];
}
const admin = administrator();
for (const [name, wanted] of Object.entries(request.change || {})) {
  const [database, user] = split(name);
  const body = {
    pwd: request.passwords[name],
    roles: wanted.roles.map((role) => ({role: role.split("@")[0], db: role.split("@")[1]})),
    customData: {managed: "nexus-cos", service: wanted.service, fingerprint: wanted.fingerprint},
    mechanisms: ["SCRAM-SHA-256"],
  };
  if (database.getUser(user)) database.updateUser(user, body);
  else database.createUser({user, ...body});
}
for (const name of request.remove || []) {
  const [database, user] = split(name);
  if (database.getUser(user)) database.dropUser(user);
}
print(JSON.stringify(existing(admin)));
"""


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Users that carry our mark; nothing where no server runs or it has no administrator yet."""
    if not shutil.which("mongosh") or not listening(context["port"]):
        return {}
    try:
        return shell(context)
    except RemoteError as error:
        if "Authentication failed" in str(error):
            return {}
        raise


def apply(
    items: Mapping[str, Item],
    changed: list[str],
    removed: list[str],
    context: Item,
    payload: Mapping[str, str],
) -> None:
    """Make and remove users in one call of the shell, which first makes a missing administrator."""
    end = time.monotonic() + READY_SECONDS
    while not listening(context["port"]):
        if time.monotonic() > end:
            raise RemoteError(f"MongoDB does not listen on port {context['port']} after {READY_SECONDS} s")
        time.sleep(0.2)
    change = {name: items[name] for name in changed}
    shell(context, change=change, remove=list(removed), passwords={name: payload[name] for name in changed})


def shell(context: Item, **request: Any) -> dict[str, dict[str, Any]]:
    """Carry out a request; the answer is what there is afterwards."""
    argv = ["mongosh", "--nodb", "--norc", "--quiet", "--eval", SCRIPT]
    answer = run(argv, input=json.dumps({**context, **request}), timeout=120)
    found: dict[str, dict[str, Any]] = json.loads(answer)
    return found


def listening(port: int) -> bool:
    """Whether anything accepts connections on this port of the host."""
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex(("127.0.0.1", port)) == 0
