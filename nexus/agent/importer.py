"""Host-side code of roles, turned into modules.

The host keeps its compiled form: the code is the same from run to run, and compiling it takes 10 to 30 ms.
"""

import contextlib
import hashlib
import marshal
import os
import sys
import types
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from threading import Lock
from types import CodeType
from typing import Any

DIRECTORY = "/run/nexus-cos/bytecode"  # gone after a reboot
MOST = 300  # files; beyond that, all are deleted

SENT: dict[str, str] = {}  # source of modules by their dotted names
LOADING = Lock()  # states are probed in parallel
LOADED: dict[str, dict[str, Any]] = {}  # host-side code of roles by its source


def compiled(source: str, name: str) -> CodeType:
    """Compiled code of a source. Only root reads and writes the stored code, since root runs it."""
    if os.geteuid():
        return compile(source, name, "exec", dont_inherit=True)
    about = f"{sys.implementation.cache_tag} {sys.hexversion} {name}\n{source}"
    key = hashlib.sha256(about.encode()).hexdigest()
    path = f"{DIRECTORY}/{key}"
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError), open(path, "rb") as stream:
        kept: Any = marshal.load(stream)
        if isinstance(kept, CodeType):
            return kept
    code = compile(source, name, "exec", dont_inherit=True)
    with contextlib.suppress(OSError):
        _keep(path, marshal.dumps(code))
    return code


def _keep(path: str, content: bytes) -> None:
    """Write a file whole or not at all, even if another process writes the same file."""
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    if len(os.listdir(DIRECTORY)) > MOST:
        for name in os.listdir(DIRECTORY):
            os.unlink(f"{DIRECTORY}/{name}")
    fresh = f"{path}.{os.getpid()}"
    with open(fresh, "wb") as stream:
        stream.write(content)
    os.rename(fresh, path)


def learn(name: str, source: str) -> None:
    """Add a module to this agent, and run it."""
    module = sys.modules[f"nexus.agent.{name}"] = types.ModuleType(name)
    setattr(sys.modules["nexus.agent"], name, module)
    exec(compiled(source, f"<agent {name}>"), module.__dict__)


def load(name: str, source: str, libraries: Iterable[Sequence[str]] = ()) -> dict[str, Any]:
    """Run a role's host-side code, once; `libraries` are [module name, source] of its imports."""
    with LOADING:
        for module, text in libraries:
            put(module, text)
        if source not in LOADED:
            functions: dict[str, Any] = {"__name__": f"nexus_{name}"}
            exec(compiled(source, f"<{name}>"), functions)
            LOADED[source] = functions  # only on success: the next request gets the error, too
        return LOADED[source]


def put(name: str, source: str) -> None:
    """Make a module importable by its dotted name. It runs when it is imported, not before."""
    if name in sys.modules:
        return
    parents = name.split(".")[:-1]
    for depth in range(len(parents)):
        parent = sys.modules.setdefault(".".join(parents[: depth + 1]), types.ModuleType(parents[depth]))
        vars(parent).setdefault("__path__", [])
    if Sent not in sys.meta_path:
        sys.meta_path.insert(0, Sent)
    SENT[name] = source


class Sent:
    """Lets code import modules that were sent to this agent."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, cls) if name in SENT else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """None: Python creates the module as usual."""

    @staticmethod
    def exec_module(module: types.ModuleType) -> None:
        exec(compiled(SENT[module.__name__], f"<{module.__name__}>"), module.__dict__)
