"""Runs on a host: log-ins at its MongoDB over TLS, by the vendor's shell with passwords from standard input."""

import json
import socket
import subprocess

SCRIPT = """
const request = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = {};
for (const login of request.logins) {
  const answer = {};
  try {
    const server = connect(`mongodb://${request.address}:${request.port}/${login.database}?directConnection=true` +
      `&tls=true&tlsCAFile=${encodeURIComponent(request.ca)}`);
    server.auth({user: login.user, pwd: login.password});
    const status = server.runCommand({connectionStatus: 1, showPrivileges: false}).authInfo;
    answer.roles = status.authenticatedUserRoles.map((role) => `${role.role}@${role.db}`).sort();
    try {
      server.getSiblingDB(login.other).getCollectionNames();
      answer.other = "let in";
    } catch (error) { answer.other = error.codeName; }
  } catch (error) { answer.error = error.message; }
  found[`user ${login.database}.${login.user}`] = answer;
}
print(JSON.stringify(found));
"""


def ask(request):
    """{"logins": {item: {"roles", "other"} or {"error"}}, "plain text": what a client without TLS is told}."""
    argv = ["mongosh", "--nodb", "--norc", "--quiet", "--eval", SCRIPT]
    done = subprocess.run(argv, input=json.dumps(request), capture_output=True, text=True, timeout=80)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:] or done.stdout.strip()[-300:])
    return {"logins": json.loads(done.stdout), "plain text": plain(request)}


def plain(request):
    """Whether the server answers an unencrypted hello."""
    hello = bytes.fromhex("3a0000000100000000000000dd0700000000000000") + bytes.fromhex(
        "250000001068656c6c6f0001000000022464620006000000" + b"admin\x00".hex() + "00"
    )
    try:
        with socket.create_connection((request["address"], request["port"]), timeout=3) as sock:
            sock.sendall(hello)
            return "answered" if sock.recv(64) else "refused"
    except OSError as error:
        return f"refused: {type(error).__name__}"
