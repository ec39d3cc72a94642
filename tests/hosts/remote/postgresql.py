"""Runs on a host: roles and databases of its PostgreSQL, and logins over TLS with passwords from standard input."""

import ctypes
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

CONNECTION_OK, TUPLES_OK = 0, 2

ROLES = """
select json_object_agg(rolname, json_build_object(
  'login', rolcanlogin, 'super', rolsuper, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
  'limit', rolconnlimit, 'has_password', rolpassword is not null, 'scram', rolpassword like 'SCRAM-SHA-256$%',
  'bypass', rolbypassrls, 'replication', rolreplication,
  'member_of', array(select pg_get_userbyid(roleid) from pg_auth_members where member = r.oid),
  'connects_to', array(select datname from pg_database d where has_database_privilege(r.oid, d.oid, 'connect')
                       and datallowconn and not datistemplate)))
from pg_authid r where rolname !~ '^pg_'"""
DATABASES = "select json_object_agg(datname, pg_get_userbyid(datdba)) from pg_database where not datistemplate"
SETTINGS = "select json_object_agg(name, setting) from pg_settings"
LOOKUP = """
select json_build_object('super', (select verifier from pgbouncer.lookup('postgres')),
  'may', array(select rolname from pg_roles where not rolsuper and rolname !~ '^pg_'
               and has_function_privilege(oid, 'pgbouncer.lookup(text)', 'execute') order by 1))"""
WHO = "select session_user, current_user, current_database(), has_schema_privilege('public', 'create')"


def ask(request):
    """Roles, databases, settings, and {name: {"row"} or {"error"}} of each login, by PostgreSQL's own library."""
    with ThreadPoolExecutor(8) as pool:
        told = pool.map(lambda login: attempt(request, login), request["logins"].values())
        logins = dict(zip(request["logins"], told, strict=True))
    return {**inside(request["port"]), "logins": logins}


def inside(port):
    """What the server says to its administrator on the host itself."""
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", "postgres", "-p", str(port), "-f", "-"]
    script = ";\n".join((ROLES, DATABASES, SETTINGS, LOOKUP)) + ";\n"
    done = subprocess.run(argv, input=script, capture_output=True, text=True, timeout=60, cwd="/")
    if done.returncode:
        raise RuntimeError(f"PostgreSQL did not answer: {done.stderr.strip()[:300]}")
    names = ("roles", "databases", "settings", "lookup")
    return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))


def library():
    """libpq with the few functions that are used here."""
    pq = ctypes.CDLL("libpq.so.5")
    for name in ("PQconnectdb", "PQexec"):
        getattr(pq, name).restype = ctypes.c_void_p
    for name in ("PQerrorMessage", "PQgetvalue"):
        getattr(pq, name).restype = ctypes.c_char_p
    return pq


def attempt(request, login):
    """How one login ends, and who it turns out to be."""
    statement, login = login.get("statement", WHO), {k: v for k, v in login.items() if k != "statement"}
    where = {"host": request["address"], "port": request["port"], "connect_timeout": 8, **login}
    pq = library()
    session = ctypes.c_void_p(pq.PQconnectdb(" ".join(f"{key}='{value}'" for key, value in where.items()).encode()))
    try:
        if pq.PQstatus(session) != CONNECTION_OK:
            return {"error": pq.PQerrorMessage(session).decode(errors="replace").strip()}
        result = ctypes.c_void_p(pq.PQexec(session, statement.encode()))
        if pq.PQresultStatus(result) != TUPLES_OK:
            return {"error": pq.PQerrorMessage(session).decode(errors="replace").strip()}
        row = [pq.PQgetvalue(result, 0, column).decode() for column in range(pq.PQnfields(result))]
        pq.PQclear(result)
        return {"row": row, "tls": bool(pq.PQsslInUse(session))}
    finally:
        pq.PQfinish(session)
