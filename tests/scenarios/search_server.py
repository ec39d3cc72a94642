"""An OpenSearch server on this machine, put together from the modules that Maven has. It ends with its `with` block.

It stands for Elasticsearch, which no registry of packages has: pipelines, templates, data streams and searches are the
same in both. Lifecycle policies, users and TLS are not part of it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

VERSION = "2.19.6"
LOGGING = "2.25.4"
JAVA = range(17, 24)  # the server needs Java's security manager, which newer ones lack
HEAP_MB = 512
START_SECONDS = 180
DOWNLOAD_SECONDS = 600
SERVER = (
    f"org.opensearch:opensearch:{VERSION}",
    f"org.opensearch:opensearch-plugin-classloader:{VERSION}",
    f"org.apache.logging.log4j:log4j-core:{LOGGING}",
)
NETTY = """grant {
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
  permission java.net.SocketPermission "*", "accept,connect";
  permission java.lang.RuntimePermission "*", "setContextClassLoader";
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.util.PropertyPermission "sun.nio.ch.bugLevel", "write";
};
"""
PAINLESS = """grant {
  permission java.lang.RuntimePermission "createClassLoader";
  permission java.lang.RuntimePermission "getClassLoader";
  permission org.opensearch.script.ClassPermission "<<STANDARD>>";
};
"""
# {module: (its artifact, its class, jars that belong to it, what it may do, the module that it extends)}
MODULES = {
    "transport-netty4": (
        "transport-netty4-client",
        "org.opensearch.transport.Netty4Plugin",
        ("netty-", "transport-netty4"),
        NETTY,
        "",
    ),
    "lang-painless": (
        "lang-painless",
        "org.opensearch.painless.PainlessPlugin",
        ("antlr4-", "asm-", "lang-painless", "opensearch-scripting-painless"),
        PAINLESS,
        "",
    ),
    "ingest-common": (
        "ingest-common",
        "org.opensearch.ingest.common.IngestCommonPlugin",
        ("ingest-common", "jcodings-", "joni-", "opensearch-dissect", "opensearch-grok"),
        "",
        "lang-painless",
    ),
}
LOG4J = """rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %-5p %c{1}: %m%n
"""


@contextmanager
def search_server() -> Iterator[int]:
    """The port of a running server on loopback; skips the test where Java or the modules cannot be had."""
    _need_java()
    # Not below pytest's directories: the server's account must reach it.
    home = Path(tempfile.mkdtemp(prefix="nexus-cos-search-", dir="/var/tmp"))
    try:
        home.chmod(0o755)
        _install(home)
        port = _configure(home)
        with (
            open(home / "output", "wb") as output,
            subprocess.Popen(_command(home), stdout=output, stderr=output) as java,
        ):
            try:
                _wait(java, port, home / "output")
                yield port
            finally:
                java.kill()  # its data is not needed again
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _need_java() -> None:
    if missing := [program for program in ("java", "mvn") if not shutil.which(program)]:
        pytest.skip(f"needs {' and '.join(missing)} to run OpenSearch")
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if not found or int(found[1]) not in JAVA:
        pytest.skip(f"OpenSearch {VERSION} needs Java {JAVA[0]} to {JAVA[-1]}: {told.strip().splitlines()[:1]}")


def _install(home: Path) -> None:
    """Have Maven copy all jars, and sort them as a server's directories have them."""
    artifacts = [*SERVER, *(f"org.opensearch.plugin:{module[0]}:{VERSION}" for module in MODULES.values())]
    (home / "pom.xml").write_text(_project(artifacts))
    argv = ["mvn", "-q", "-B", "-f", f"{home}/pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={home}/lib"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"Maven did not bring OpenSearch's modules within {DOWNLOAD_SECONDS} s")
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line][:1]
        pytest.skip(f"Maven has no OpenSearch {VERSION} for this machine: {errors}")
    for name, (_, plugin, jars, policy, extends) in MODULES.items():
        folder = home / "modules" / name
        folder.mkdir(parents=True)
        for jar in (home / "lib").iterdir():
            if jar.name.startswith(jars):
                jar.rename(folder / jar.name)
        (folder / "plugin-descriptor.properties").write_text(_descriptor(name, plugin, extends))
        if policy:
            (folder / "plugin-security.policy").write_text(policy)


def _project(artifacts: list[str]) -> str:
    names = ("groupId", "artifactId", "version")
    parts = (zip(names, artifact.split(":"), strict=True) for artifact in artifacts)
    wanted = "".join(f"<dependency>{''.join(f'<{n}>{v}</{n}>' for n, v in part)}</dependency>" for part in parts)
    own = "<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>"
    return f'<project xmlns="http://maven.apache.org/POM/4.0.0">{own}<dependencies>{wanted}</dependencies></project>'


def _descriptor(name: str, plugin: str, extends: str) -> str:
    values = {"name": name, "description": name, "version": VERSION, "opensearch.version": VERSION}
    values |= {"java.version": "11", "classname": plugin, "extended.plugins": extends, "has.native.controller": "false"}
    return "".join(f"{key}={value}\n" for key, value in values.items())


def _configure(home: Path) -> int:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        http, transport = one.getsockname()[1], other.getsockname()[1]
    for name in ("config", "data", "logs", "tmp", "plugins"):
        (home / name).mkdir()
    place = f"network.host: 127.0.0.1\nhttp.port: {http}\ntransport.port: {transport}\n"
    kind = "discovery.type: single-node\ncluster.routing.allocation.disk.threshold_enabled: false\n"
    (home / "config/opensearch.yml").write_text(f"{place}{kind}path.data: {home}/data\npath.logs: {home}/logs\n")
    (home / "config/log4j2.properties").write_text(LOG4J)
    return int(http)


def _command(home: Path) -> list[str]:
    """The server's command line; it refuses to run as root."""
    other = []
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody", home], check=True)
        other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    memory = [f"-Xms{HEAP_MB}m", f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC"]
    paths = {"java.io.tmpdir": f"{home}/tmp", "opensearch.path.home": home, "opensearch.path.conf": f"{home}/config"}
    values = {"java.security.manager": "allow", "log4j2.disable.jmx": "true", **paths}
    given = [f"-D{name}={value}" for name, value in values.items()]
    return [*other, "java", *memory, *given, "-cp", f"{home}/lib/*", "org.opensearch.bootstrap.OpenSearch"]


def _wait(java: subprocess.Popen[bytes], port: int, output: Path) -> None:
    for _ in range(START_SECONDS):
        try:
            java.wait(timeout=1)
        except subprocess.TimeoutExpired:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/_cluster/health?wait_for_status=yellow")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                continue
            finally:
                connection.close()
        else:
            break
    pytest.fail(f"OpenSearch did not start: {output.read_text(errors='replace')[-1500:]}")
