"""Settings of the drift report."""

drift_directory: str = "reports"  # where the report is written, as drift-ENV.json and drift-ENV.html
drift_record_days: int = 400  # how far back the audit record is searched for the run that last touched an item
