"""Secrets of an environment: an age-encrypted file, who may read it, and how it is edited."""
