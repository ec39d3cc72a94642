"""One run: what it knows of its hosts, their differences, and the changes that it makes."""
