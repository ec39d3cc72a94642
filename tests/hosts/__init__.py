"""Testinfra on the hosts of an environment: reads them from outside, changes and writes nothing."""
