"""Hosts in AWS: network, security groups, instances, volumes, bucket and names, made and found by their tags.

Calls are planned from what is there and what is wanted (comparison.py); a run makes those calls and no other.
"""
