"""Code that runs on hosts: what is in force of the measures, and how it is made so."""
