"""The host side of each kind of item (see nexus/plan/kinds/): `probe` reads what is there, `step` changes it."""
