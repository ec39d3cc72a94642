"""Runs on hosts; standard library only."""
