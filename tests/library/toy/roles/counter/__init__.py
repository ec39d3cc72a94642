from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Counter")
def counter():
    converge("counter")
