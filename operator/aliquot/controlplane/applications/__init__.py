"""Applications: programs with a secret."""
