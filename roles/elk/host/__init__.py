"""Code that runs on the host of Elasticsearch."""
