"""The replica set of MongoDB's hosts, one or three: founded, joined and left one member at a time.

Runs on one host of the set and asks all its hosts what they know of it. It founds a set only if all of them
answer and none knows a set.
"""

from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.agent.wait import repeat
from roles.mongodb.host.shell import Item, installed, listening, shell

READY_SECONDS = 90  # for the servers of all hosts to listen
KNOWN = """
// The set as the first host that knows it reports it, and the hosts that did not answer.
function known() {
  const silent = [];
  for (const host of [own, ...request.hosts]) {
    try {
      const answer = login(alone(host)).adminCommand({replSetGetConfig: 1});
      return {members: answer.config.members.map((member) => member.host).sort(), silent};
    } catch (error) {
      // A server without a set has no administrator either.
      if (!["AuthenticationFailed", "NotYetInitialized"].includes(error.codeName)) silent.push(host);
    }
  }
  return {members: [], silent};
}
"""
SHOW = KNOWN + "print(JSON.stringify(known()));"
CHANGE = (
    KNOWN
    + """
function wait(what, done) {
  const end = Date.now() + request.wait_seconds * 1000;
  while (!done()) {
    if (Date.now() > end) throw new Error(`waited ${request.wait_seconds} s for ${what}`);
    sleep(500);
  }
}
function found() {
  const server = alone(own); // from localhost, where a server without users allows both
  const first = {_id: request.set, members: [{_id: 0, host: request.address}]};
  try {
    server.adminCommand({replSetInitiate: first});
  } catch (error) {
    if (error.codeName !== "AlreadyInitialized") throw error; // an earlier run ended here
  }
  wait("the new set's primary", () => server.hello().isWritablePrimary);
  server.createUser({user: request.user, pwd: request.password, roles: ["root"]});
}
function state(admin, host) {
  const member = admin.adminCommand({replSetGetStatus: 1}).members.find((one) => one.name === host);
  return member ? member.stateStr : "";
}
function reconfigure(members, change) {
  const admin = primary(members);
  const config = admin.adminCommand({replSetGetConfig: 1}).config;
  change(config);
  config.version += 1;
  admin.adminCommand({replSetReconfig: config});
  return admin;
}
let {members, silent} = known();
if (!members.length) {
  if (silent.length) throw new Error(`no host knows the replica set, and ${silent} did not answer`);
  found();
  members = [request.address];
}
for (const host of request.hosts.filter((host) => !members.includes(host))) {
  const admin = reconfigure(members, (config) => {
    config.members.push({_id: Math.max(...config.members.map((member) => member._id)) + 1, host});
  });
  wait(`${host} to have its copy`, () => ["PRIMARY", "SECONDARY"].includes(state(admin, host)));
  members.push(host);
}
for (const host of request.leaving.filter((host) => members.includes(host))) {
  const staying = members.filter((member) => member !== host);
  if (state(primary(members), host) === "PRIMARY") {
    primary(members).adminCommand({replSetStepDown: 60});
    wait("another primary", () => {
      try {
        return staying.some((one) => state(primary(staying), one) === "PRIMARY");
      } catch (error) {
        return false;
      }
    });
  }
  reconfigure(staying, (config) => {
    config.members = config.members.filter((member) => member.host !== host);
  });
  members = staying;
}
print(JSON.stringify(known()));
"""
)


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """{"replica set": {"members": ["ADDRESS:PORT", ...]}}; nothing where no set is known yet."""
    if not installed() or not listening(f"127.0.0.1:{context['port']}"):
        return {}
    members = shell(SHOW, context)["members"]
    return {"replica set": {"members": members}} if members else {}


def apply(change: Change) -> None:
    """Found the set where there is none, then let members join and leave one after the other."""

    context = change.context

    def expect_all() -> None:
        if silent := [host for host in context["there"] if not listening(host)]:
            raise RemoteError(f"MongoDB does not listen at {', '.join(silent)} after {READY_SECONDS} s")

    repeat(expect_all, READY_SECONDS, role="mongodb")
    leaving = [host for host in shell(SHOW, context)["members"] if host not in context["hosts"]]
    members = shell(CHANGE, context, leaving=leaving)["members"]
    print(f"the replica set consists of {', '.join(members)}")
