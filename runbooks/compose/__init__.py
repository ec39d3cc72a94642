"""The catalogue on one machine with Docker Compose: files rendered from it, stores included."""
