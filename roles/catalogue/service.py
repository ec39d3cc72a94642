"""services.yaml: the services, what each asks for and stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from roles.catalogue import quantity
from roles.catalogue.entry import Entry
from roles.catalogue.functional import FunctionalCheck

if TYPE_CHECKING:
    from roles.catalogue.kind import (
        Count,
        Cpu,
        Filled,
        From,
        KeyPrefix,
        Memory,
        Names,
        OpenPort,
        Path,
        SchemaFile,
        ServiceName,
        Text,
        To,
        Whole,
    )

SIGTERM_EXIT_CODE = 143
NO_FLOWS: dict[str, Names] = {}


class Probes(Entry):
    """Paths that a kind of image answers about itself; `metrics` is None where it has none."""

    liveness: Path
    readiness: Path
    metrics: Path | None = None


class ProbesByKind(Entry):
    """Probe paths of the reference service and of the shipped code."""

    reference: Probes
    source: Probes


class Source(Entry):
    """How the shipped code of one service is built and run."""

    entry: Text
    folder: Text | None = None
    package_folder: Text = "."
    language: Literal["node", "python"] = "node"
    packages: Names = ()
    needs_middleware: bool = False
    stop_exit_code: Whole = 0
    environment: Names = ()
    probes: Probes | None = None

    @property
    def accepted_exit_codes(self) -> tuple[int, ...]:
        """Exit codes that count as a normal stop on SIGTERM."""
        return tuple(sorted({0, self.stop_exit_code, SIGTERM_EXIT_CODE}))


class Service(Entry):
    """One of the services. `cpu`, `memory` and `gpu` are what a single replica asks for at full size."""

    name: ServiceName
    port: OpenPort
    category: Text
    domain: Text
    startup_phase: Count
    replicas: Count
    cpu: Cpu
    memory: Memory
    gpu: Whole = 0
    depends_on: Names = ()
    stores: Names = ()
    external: Names = ()
    redis_key_prefixes: tuple[KeyPrefix, ...] = ()
    redis_instance: Literal["persistent", "cache"] = "persistent"
    first_schema: SchemaFile = None
    migration: Names = ()
    handshake: bool = False
    websocket: bool = False
    source: Source | None = None
    functional: tuple[FunctionalCheck, ...] = ()
    purpose: Text

    @property
    def cpu_millicores(self) -> int:
        """Requested CPU of one replica in thousandths of a core."""
        return quantity.millicores(self.cpu)

    @property
    def memory_bytes(self) -> int:
        """Requested memory of one replica."""
        return quantity.memory_bytes(self.memory)

    @property
    def database(self) -> str:
        """Name of its PostgreSQL database, of its owner role, and the stem of its log-ins."""
        return self.name.replace("-", "_")

    @property
    def key_prefixes(self) -> tuple[str, ...]:
        """Redis keys that it may touch: its own name's, and those its code uses."""
        return (f"{self.name}:", *self.redis_key_prefixes)

    @property
    def source_folder(self) -> str:
        """Where its code lies in a checkout of the platform, whether or not there is any."""
        return (self.source.folder if self.source else None) or f"services/{self.name}"


class Platform(Entry):
    """Name and version of the platform as a whole."""

    name: Text
    version: Text


class StatedCluster(Entry):
    """Size of the cluster that the documents state."""

    cpu_cores: Count
    memory_gib: Count
    storage_gb: Count
    nodes_min: Count
    nodes_recommended: Count


class Environment(Entry):
    """Environment variables of every service: plain ones with values, and names that must be filled."""

    common: dict[str, str]
    required: Names


class Category(Entry):
    """A group of services; `services` is their number where somebody vouches for it."""

    name: Text
    services: Whole | None = None


class Domain(Category):
    """A business domain."""

    namespace: Text


class RuntimeLink(Entry):
    """A call made at run time and not needed for start-up."""

    source: From
    target: To
    cut: bool = False


class Event(Entry):
    """A message over RabbitMQ; `outside` are consumers that are not services of the catalogue."""

    name: Text
    publisher: Text
    consumers: Names = ()
    outside: Names = ()


class ServicesFile(Entry):
    """services.yaml as a whole."""

    platform: Platform
    stated_cluster: StatedCluster
    probes: ProbesByKind
    environment: Environment
    categories: tuple[Category, ...]
    domains: tuple[Domain, ...]
    external_providers: dict[str, Names]
    services: Filled[Service]
    runtime_links: tuple[RuntimeLink, ...] = ()
    events: tuple[Event, ...] = ()
    event_sourcing: Names = ()
    strong_consistency: Names = ()
    flows: dict[str, Names] = NO_FLOWS
