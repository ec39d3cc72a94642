"""One run: what is known of its hosts, what differs, and what is done about it."""
