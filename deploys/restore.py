"""Bring back one service's database, or whole stores."""

from roles.restore import restore

restore()
