"""Runs on a host as root: looks for marked secrets in every place that an unauthorized person could read.

Hits are named by place, never by value: {"hits": {place: [what]}, "bytes": {place: bytes searched}}.
Places: world-readable files, the journal, arguments of processes, output of units and the engine,
layers of images and containers, blobs of the registry.
"""

import glob
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import zlib

asked = json.loads("ARGUMENT")
MARKS = re.compile(b"|".join(re.escape(bytes.fromhex(mark)) for mark in asked["marks"]))
CHUNK, OVERLAP = 1 << 20, 200
hits, searched = {}, {}


def look(place, what, chunks):
    rest = b""
    for chunk in chunks:
        searched[place] = searched.get(place, 0) + len(chunk)
        data = rest + chunk
        if MARKS.search(data):
            hits.setdefault(place, []).append(what)
            return
        rest = data[-OVERLAP:]


def content(path):
    try:
        with open(path, "rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError:
        return  # the file disappeared meanwhile


def output(*words):
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        while chunk := running.stdout.read(CHUNK):
            yield chunk


def unpacked(path):
    engine = zlib.decompressobj(47)
    for chunk in content(path):
        try:
            yield engine.decompress(chunk)
        except zlib.error:
            yield chunk


def below(top, everybody):
    """Regular files, all or only the world-readable ones; links and other mounts are skipped."""
    try:
        device = os.lstat(top).st_dev
    except OSError:
        return
    for directory, names, files in os.walk(top):
        entries = [(name, os.path.join(directory, name)) for name in names]
        names[:] = [name for name, path in entries if enter(path, device, everybody)]
        for name in files:
            path = os.path.join(directory, name)
            try:
                about = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISREG(about.st_mode) and (not everybody or about.st_mode & stat.S_IROTH):
                yield path


def enter(path, device, everybody):
    try:
        about = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_dev == device and (not everybody or about.st_mode & stat.S_IXOTH)


def engine(path):
    connection = http.client.HTTPConnection("docker", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect("/run/docker.sock")
    connection.request("GET", path)
    data = connection.getresponse().read()
    connection.close()
    return data


for top in asked["directories"]:
    for path in below(top, everybody=True):
        look("readable files", path, content(path))
look("journal", "the journal", output("journalctl", "--no-pager", "-q", "-o", "export"))
look(
    "journal",
    "the log store",
    output("journalctl", "-q", "-o", "export", "--file=/var/log/journal/remote/logs*.journal"),
)
for path in glob.glob("/proc/[0-9]*/cmdline"):
    look("processes", path, content(path))
look("units", "systemctl show", output("systemctl", "show", "--all", "*"))
if os.path.exists("/run/docker.sock"):
    for path in ("/services", "/tasks", "/secrets", "/configs", "/nodes", "/info", "/images/json?all=1"):
        look("engine", path, [engine(path)])
    for item in json.loads(engine("/containers/json?all=1")):
        look("engine", f"docker inspect {item['Names']}", [engine(f"/containers/{item['Id']}/json")])
        look("engine", f"docker logs {item['Names']}", [engine(f"/containers/{item['Id']}/logs?stdout=1&stderr=1")])
    for item in json.loads(engine("/images/json")):
        look("engine", f"image {item['Id'][:19]}", [engine(f"/images/{item['Id']}/json")])
        look("engine", f"history of {item['Id'][:19]}", [engine(f"/images/{item['Id']}/history")])
    for path in glob.glob(f"{asked['data_root']}/overlay2/*/diff"):
        for name in below(path, everybody=False):
            look("image layers", name, content(name))
for path in below(asked["registry"], everybody=False):
    look("registry", path, unpacked(path))
print(json.dumps({"hits": hits, "bytes": searched}))
