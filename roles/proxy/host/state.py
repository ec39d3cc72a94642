"""The running HAProxy on a host that runs services: whether its servers and frontends are as configured."""

from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, digest, read_stamp, run
from nexus.agent.wait import tries
from roles.proxy.host.runtime import Fault, ask, faults, look

NOTHING = {"by_hand": "nothing"}
GLOBAL = "proxy limits"
SETTLE_SECONDS = 15


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was changed in memory, by section; if HAProxy does not run, its unit reports that."""
    try:
        return _items(names, _faults(context))
    except (FileNotFoundError, ConnectionRefusedError):
        return dict.fromkeys(names, NOTHING)
    except OSError as error:
        raise RemoteError(f"HAProxy does not answer at {context['socket']}: {error}") from None


def apply(change: Change) -> None:
    """Undo changes through the runtime API; reload, then restart, if that is not enough."""
    context = change.context
    left: list[Fault] = []
    for fix in (_command, _reload, _restart) if _answers(context) else (_restart,):  # one that hangs ignores a reload
        fix(context)
        left = _settled(context)
        if not left:
            return
    raise RemoteError(f"HAProxy is still not as configured: {'; '.join(fault.words for fault in left)}")


def _faults(context: Mapping[str, Any]) -> list[Fault]:
    stamp = (read_stamp(context["unit"]) or {}).get(context["config"])
    stale = stamp != context["sha256"] or digest(context["config"]) != stamp
    return list(faults(look(context["socket"]), context["sections"], context["connections"], stale))


def _items(names: Iterable[str], found: Iterable[Fault]) -> dict[str, dict[str, Any]]:
    words: dict[str, list[str]] = {name: [] for name in names}
    for fault in found:
        words[f"proxy section {fault.section}" if fault.section else GLOBAL].append(fault.words)
    return {name: _item(said) if said else NOTHING for name, said in words.items()}


def _item(words: list[str]) -> dict[str, Any]:
    text = ", ".join(words)
    return {"by_hand": text, "how": f"set by hand: {text}"}


def _answers(context: Mapping[str, Any]) -> bool:
    try:
        look(context["socket"])
    except OSError:
        return False
    return True


def _command(context: Mapping[str, Any]) -> None:
    commands = [fault.command for fault in _faults(context) if fault.command]
    for command in dict.fromkeys(commands):
        ask(context["socket"], command)


def _reload(context: Mapping[str, Any]) -> None:
    run(["systemctl", "reload", context["unit"]], timeout=180)


def _restart(context: Mapping[str, Any]) -> None:
    run(["systemctl", "restart", context["unit"]], timeout=180)


def _settled(context: Mapping[str, Any]) -> list[Fault]:
    """What still differs once HAProxy had time to apply the change."""
    for _ in tries(SETTLE_SECONDS, pause=0.2):
        try:
            left = _faults(context)
        except OSError:
            left = [Fault("", "it does not answer")]
        if not left or any(not fault.command for fault in left):
            break
    return left
