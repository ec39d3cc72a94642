"""Code that runs on the log store: packing of old journals, and the search."""
