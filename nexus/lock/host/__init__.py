"""Host-side code: uses only the standard library."""
