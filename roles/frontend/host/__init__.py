"""Runs on hosts, with the standard library alone."""
