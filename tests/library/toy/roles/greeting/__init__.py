from pyinfra.api.deploy import deploy

from nexus.run.converge import converge


@deploy("Greeting")
def greeting():
    converge("greeting")
