"""An environment as plain data: hosts, settings, templates, secrets and certificate authority."""
