"""What operators do that spans roles: release, restore, fail over, look, rotate."""
