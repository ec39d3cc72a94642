"""Code that runs on hosts: the rules in force, and new ones on trial."""
