"""Code that runs on every host: its journal goes to the log store."""
