"""What a host should hold, how it differs, and the steps that make the difference go away. Pure functions."""
