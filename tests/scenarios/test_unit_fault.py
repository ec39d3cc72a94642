"""Units that do not stay up: not healthy, named with their last lines, repaired once the cause is gone."""

from __future__ import annotations

import pytest
from control import Control
from fault import MONITORING, drifted, fault, row, stopped

from nexus.provider import lab

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


LISTENER = 'import socket,time;s=socket.create_server(("0.0.0.0",{port}),reuse_port=False);time.sleep(1e4)'
TAKEN = """systemctl stop docker-registry
systemd-run -q --unit=nexus-test-listener python3 -c '{code}'
until ss -ltnH 'sport = :{port}' | grep -q .; do sleep 0.1; done
systemctl start --no-block docker-registry
until [ "$(systemctl show -p NRestarts --value docker-registry)" -gt 0 ]; do sleep 0.2; done"""


def test_a_unit_that_crashes_again_and_again(sound: Control) -> None:
    host, port = sound.group("ops")[0], sound.planned.setting.registry_port
    script = TAKEN.format(port=port, code=LISTENER.format(port=port))
    with fault(sound, host, script, "systemctl stop nexus-test-listener"):
        stopped(sound.run(), f"[{host}]", "docker-registry.service", "address already in use")
        named(sound, host)
    done = sound.converged()
    assert [change for change in done.changes if "unit docker-registry.service" in change] or done.changes == []
    assert sound.converged().changes == []


MASKED = "prometheus-node-exporter"
READ_ONLY = "mount --bind /etc/nginx /etc/nginx && mount -o remount,bind,ro /etc/nginx"


def named(sound: Control, registry: str) -> None:
    """Status and drift name the unit that does not stay up on the registry's host, and faults on two other hosts."""
    masked, edge = sound.group("data")[-1], sound.group("edge")[0]
    undo = f"systemctl unmask --runtime {MASKED}; systemctl start {MASKED}"
    with (
        fault(sound, masked, f"systemctl mask --runtime {MASKED}", undo),
        fault(sound, edge, READ_ONLY, "umount /etc/nginx"),
    ):
        row(sound, "docker-registry", f"{masked} {MASKED}", "is masked", f"{edge} /etc/nginx")
        said = (f"{registry}: registry: unit docker-registry.service", f"{masked}: exporter: unit {MASKED}: is masked")
        drifted(sound, *said)


DROP_IN = "/etc/systemd/system/prometheus-node-exporter.service.d/90-test.conf"
CRASH = f"""systemctl stop prometheus-node-exporter
cat >{DROP_IN} <<'END'
[Service]
ExecStart=
ExecStart=/bin/sh -c "sleep 1; echo out of luck >&2; exit 7"
Restart=no
END
systemctl daemon-reload"""
WHOLE = f"rm -f {DROP_IN}; systemctl daemon-reload; systemctl restart prometheus-node-exporter"


def test_a_unit_that_crashes_after_this_run_started_it(sound: Control) -> None:
    host = sound.group("ops")[0]
    with fault(sound, host, CRASH, WHOLE):
        done = sound.run(deploy=MONITORING)
        stopped(done, f"{host}: prometheus-node-exporter does not run", "out of luck", "systemctl status")
