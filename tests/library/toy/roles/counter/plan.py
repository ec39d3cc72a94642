from pathlib import Path

from nexus.plan.desired import Desired, Directory, State


def plan(env, host):
    state = State(
        "count", Path(__file__).parent / "host/state.py", {"counter": {"value": int(host.setting.counter_value)}}
    )
    return Desired(directories=(Directory("/var/lib/counter"),), states=(state,))
