"""Runs on a host: sends datagrams to others and counts those that arrive. Prints {port: [name of a sender]}."""

import json
import selectors
import socket
import time

asked = json.loads("ARGUMENT")
ROUND_SECONDS = 1
selector, seen = selectors.DefaultSelector(), {}
for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for port in asked["ports"]:
        here = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            here.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        here.bind((any_address, port))
        here.setblocking(False)
        selector.register(here, selectors.EVENT_READ, port)

# Not from the ports that listen: two that send to each other look like one connection, and its answers arrive.
senders = {family: socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)}
text = asked["name"].encode()
began = next_round = time.monotonic()
while time.monotonic() < began + asked["seconds"]:
    if time.monotonic() >= next_round:
        next_round += ROUND_SECONDS
        for address in asked["addresses"]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for port in asked["ports"]:
                senders[family].sendto(text, (address, port))
    for key, _ in selector.select(0.1):
        sender = key.fileobj.recv(100).decode()
        if sender not in seen.setdefault(key.data, []):
            seen[key.data].append(sender)
print(json.dumps(seen))
