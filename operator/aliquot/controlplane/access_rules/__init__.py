"""Access rules: who has which role where."""
