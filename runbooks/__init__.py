"""Operators' tasks that span roles: release, restore, failover, status, rotation."""
