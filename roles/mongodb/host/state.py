"""Users of the replica set, through the vendor's shell at the primary.

Users that we made carry customData.managed = "nexus-cos"; only those are ever removed.
"""

from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.mongodb.host.shell import Item, installed, listening, shell

SCRIPT = """
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
const admin = primary(request.there);
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
    """Users that carry our mark; nothing where no server runs or the set has no administrator yet."""
    if not installed() or not listening(f"127.0.0.1:{context['port']}"):
        return {}
    try:
        return shell(SCRIPT, context)
    except RemoteError as error:
        if "Authentication failed" in str(error) or "Server selection timed out" in str(error):
            return {}
        raise


def apply(change: Change) -> None:
    """Make and remove users in one call of the shell."""
    wanted = {name: change.items[name] for name in change.changed}
    passwords = {name: change.payload[name] for name in change.changed}
    shell(SCRIPT, change.context, change=wanted, remove=change.removed, passwords=passwords)
