"""Uses stores as an ordinary program does, with only the environment variables of its process.

    python3 stores.py postgresql rabbitmq

Prints {"LIBRARY by VARIABLE": {tls, milliseconds} or {error}}: every write is read again and removed, and every
connection to a store is encrypted, to a server that OpenSSL itself verified.
"""

import json
import os
import ssl
import sys
import time

env = os.environ
mark = f"driver-test-{os.getpid()}-{time.time_ns()}"
protocols = []  # TLS handshakes so far
opened = []  # addresses of connections so far, except those that a library opens to itself, as pika does
sys.addaudithook(lambda event, given: opened.append(given[1]) if event == "socket.connect" and far(given[1]) else None)
shake = ssl.SSLSocket.do_handshake


def far(address):
    return not str(address[0]).startswith("127.")


def recorded(self, *options):
    shake(self, *options)
    assert self.context.verify_mode == ssl.CERT_REQUIRED, "a server that was not verified"
    by_itself = "urllib3" in sys.modules  # urllib3 compares the name after the handshake
    assert self.context.check_hostname or by_itself, "a server whose name was not compared"
    protocols.append(self.version())


ssl.SSLSocket.do_handshake = recorded


def table(*url):
    import psycopg

    with psycopg.connect(*url) as connection:
        assert connection.pgconn.ssl_in_use, "a connection without TLS"
        connection.execute("create temporary table driver_test (value text) on commit drop")
        connection.execute("insert into driver_test values (%s)", [mark])
        assert connection.execute("select value from driver_test").fetchall() == [(mark,)]
    protocols.append("TLS of libpq")
    opened.append("by libpq")


def key():
    import redis

    name = env["REDIS_KEY_PREFIX"] + mark
    with redis.from_url(env["REDIS_URL"]) as client:
        assert client.set(name, mark)
        assert client.get(name) == mark.encode()
        assert client.delete(name) == 1


def queue(url):
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        made = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
        channel.basic_publish("", made, mark.encode(), mandatory=True)
        _, _, body = next(channel.consume(made, auto_ack=True, inactivity_timeout=10))
        assert body == mark.encode()
    finally:
        connection.close()


def item():
    import boto3

    client, place = boto3.client("s3"), {"Bucket": env["S3_BUCKET"], "Key": mark}
    version = client.put_object(**place, Body=mark.encode()).get("VersionId")
    assert client.get_object(**place)["Body"].read() == mark.encode()
    client.delete_object(**place, **({"VersionId": version} if version else {}))


USES = {
    "postgresql": {"psycopg by DATABASE_URL": lambda: table(env["DATABASE_URL"]), "psycopg by PG*": table},
    "redis": {"redis by REDIS_URL": key},
    "rabbitmq": {
        "pika by AMQP_URL": lambda: queue(env["AMQP_URL"]),
        "pika by RABBITMQ_URL": lambda: queue(env["RABBITMQ_URL"]),
    },
    "object-storage": {"boto3 by AWS_*": item},
}


def attempt(use):
    protocols.clear()
    opened.clear()
    began = time.monotonic()
    try:
        use()
        assert len(protocols) == len(opened) > 0, f"TLS on {len(protocols)} of {len(opened)} connections"
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    milliseconds = round((time.monotonic() - began) * 1000)
    return {"tls": ",".join(sorted(set(protocols))), "milliseconds": milliseconds}


print(json.dumps({name: attempt(use) for store in sys.argv[1:] for name, use in USES[store].items()}))
