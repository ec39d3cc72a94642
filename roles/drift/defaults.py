"""Settings of the drift report."""

from __future__ import annotations

drift_directory: str = "reports"  # where the report is written, as drift-ENV.json and drift-ENV.html
drift_record_days: int = 400  # how far back the record is searched for the run that touched an item last
