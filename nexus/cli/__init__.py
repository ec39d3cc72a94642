"""How pyinfra starts this library: what is refused before, what is said after, and every patch of pyinfra."""
