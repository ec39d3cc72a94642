"""Two roles: one of files, one with state that no file shows."""

from nexus.run.role import Role, Roles

ROLES = Roles("roles", {"greeting": Role(("all",)), "counter": Role(("counting",), data="/var/lib/counter")})
