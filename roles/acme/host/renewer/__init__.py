"""The program of ops hosts. It is installed with Debian's python3-acme; nothing else on a host may import it."""
