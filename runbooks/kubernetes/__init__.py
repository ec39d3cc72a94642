"""The catalogue on a cluster of Kubernetes: rendered, checked, and applied by kubectl."""
