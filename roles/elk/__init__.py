"""Elasticsearch, Kibana and Filebeat: logs that can be searched, from their vendor's repository. Off by default."""

from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("ELK")
def elk() -> None:
    """The lines of the log store can be searched in Kibana."""
    converge("elk")
