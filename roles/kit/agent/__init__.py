"""What runs on a host: answers a probe, carries out a step. Standard library of Python 3.11 alone.

The kit sends these modules and one request over standard input, so nothing is installed on a host and
no secret is ever an argument. A role's own host-side code (State.source) may import from
`base`, and from the libraries that its State names. Nothing here knows any one role.
"""
