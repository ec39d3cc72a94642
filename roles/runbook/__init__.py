"""Runbooks: deploys that act, where roles converge.

A runbook asks the hosts what there is, refuses what cannot be, says in order what it is going to do, and then
does it step by step. `--dry` ends after the saying, as it does for every other deploy.
"""

from roles.runbook.act import Act, Plan, act
from roles.runbook.remote import carry_out, watch
from roles.runbook.report import Report, report

__all__ = ["Act", "Plan", "Report", "act", "carry_out", "report", "watch"]
