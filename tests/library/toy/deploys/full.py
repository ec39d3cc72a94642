"""All of the toy project. `greeting_words` are the words of the greeting."""

from pyinfra import host
from roles.counter import counter
from roles.greeting import greeting

from nexus.run.converge import forget_roles

greeting()
if "counting" in host.groups:
    counter()
forget_roles(stores=True)
