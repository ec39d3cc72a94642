"""TLS of clients that show this host's certificate."""

import ssl


def mutual(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    """A context that trusts the authority in a file, and shows a certificate; OSError if a file cannot be read."""
    found = ssl.create_default_context(cafile=ca)
    found.load_cert_chain(certificate, key)
    return found
