"""services.yaml: the services, with their requests and dependencies."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nexus.catalogue import types
from nexus.catalogue.functional import FunctionalCheck

SIGTERM_EXIT_CODE = 143


class Probes(types.Entry):
    """Probe paths of a kind of image; `metrics` is None if it has no metrics."""

    liveness: types.Path
    readiness: types.Path
    metrics: types.Path | None = None


class ProbesByKind(types.Entry):
    """Probe paths of the reference service and of the shipped code."""

    reference: Probes
    source: Probes


class Source(types.Entry):
    """How the shipped code of one service is built and run."""

    entry: types.RelativePath
    folder: types.RelativePath | None = None
    package_folder: types.RelativePath = "."
    language: Literal["node", "python"] = "node"
    packages: tuple[types.Package, ...] = ()
    needs_middleware: bool = False
    stop_exit_code: types.ExitCode = 0
    environment: tuple[types.Variable, ...] = ()
    probes: Probes | None = None

    @property
    def accepted_exit_codes(self) -> tuple[int, ...]:
        """Exit codes that count as a normal stop on SIGTERM."""
        return tuple(sorted({0, self.stop_exit_code, SIGTERM_EXIT_CODE}))


class Service(types.Entry):
    """One service. CPU, memory and `gpu` are the requests of a single replica at full size."""

    name: types.ServiceName
    port: types.OpenPort
    category: types.CategoryRef
    domain: types.DomainRef
    startup_phase: types.PhaseRef
    replicas: types.Few
    cpu_millicores: Annotated[types.Cpu, Field(alias="cpu")]
    memory_bytes: Annotated[types.Memory, Field(alias="memory")]
    gpu: types.Gpus = 0
    depends_on: types.Distinct[types.ServiceRef] = ()
    stores: types.Distinct[types.StoreRef] = ()
    external: types.Names = ()
    redis_key_prefixes: tuple[types.KeyPrefix, ...] = ()
    redis_instance: Literal["persistent", "cache"] = "persistent"
    first_schema: Annotated[types.SchemaName | None, Field(alias="schema")] = None
    migration: types.Names = ()
    handshake: bool = False
    websocket: bool = False
    source: Source | None = None
    functional: tuple[FunctionalCheck, ...] = ()
    purpose: types.Text

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.first_schema and "postgresql" not in self.stores:
            raise types.wrong("postgresql is not among its stores; add it, or drop this", "schema")
        for field in ("redis_instance", "redis_key_prefixes"):
            if field in self.model_fields_set and "redis" not in self.stores:
                raise types.wrong("redis is not among its stores; add it, or drop this", field)
        if self.functional and not self.source:
            raise types.wrong("checks are for shipped code; add source, or drop them", "functional")
        names = [check.name for check in self.functional]
        for number, name in enumerate(names):
            if name in names[:number]:
                text = f"{name!r} is already used by another check of this service; choose another"
                raise types.wrong(text, "functional", number, "name")
        return self

    @property
    def database(self) -> str:
        """Name of its PostgreSQL database and of the owner role, and stem of its logins."""
        return self.name.replace("-", "_")

    @property
    def key_prefixes(self) -> tuple[str, ...]:
        """Prefixes of Redis keys that it may use: its own name, and those that its code uses."""
        return (f"{self.name}:", *self.redis_key_prefixes)

    @property
    def source_folder(self) -> str:
        """The folder of its code in a checkout of the platform, whether or not it exists."""
        return (self.source.folder if self.source else None) or f"services/{self.name}"


class Platform(types.Entry):
    """Name and version of the platform as a whole."""

    name: types.Word
    version: types.Word


class StatedCluster(types.Entry):
    """The size of the cluster as stated in the documents."""

    cpu_cores: types.Count
    memory_gib: types.Count
    storage_gb: types.Count
    nodes_min: types.Count
    nodes_recommended: types.Count


class Environment(types.Entry):
    """Environment variables of every service: common ones with values, and names of required ones."""

    common: dict[types.Variable, types.Line]
    required: tuple[types.Variable, ...]


class Category(types.Entry):
    """A group of services; `services` is their stated number, if any."""

    name: types.Text
    services: types.Whole | None = None


class Domain(Category):
    """A business domain."""

    namespace: types.Text


class RuntimeLink(types.Entry):
    """A call at run time that start-up does not need."""

    source: Annotated[types.ServiceRef, Field(alias="from")]
    target: Annotated[types.ServiceRef, Field(alias="to")]
    cut: bool = False


class Event(types.Entry):
    """A message over RabbitMQ; `outside` are consumers that are not services of the catalogue."""

    name: types.Word
    publisher: types.ServiceRef
    consumers: types.Services = ()
    outside: types.Names = ()


class ServicesFile(types.Entry):
    """services.yaml as a whole."""

    platform: Platform
    stated_cluster: StatedCluster
    probes: ProbesByKind
    environment: Environment
    categories: tuple[Category, ...]
    domains: tuple[Domain, ...]
    external_providers: dict[types.Text, types.Names]
    services: types.Filled[Service]
    runtime_links: tuple[RuntimeLink, ...] = ()
    events: tuple[Event, ...] = ()
    event_sourcing: types.Services = ()
    strong_consistency: types.Names = ()
    flows: dict[types.Text, types.Services] = Field(default_factory=dict)
