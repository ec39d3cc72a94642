"""The internal certificate authority of an environment."""
