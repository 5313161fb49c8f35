"""Quotas: amounts of departments and projects by node pool. `rules` is pure, `changes` writes, `shown` shows."""
