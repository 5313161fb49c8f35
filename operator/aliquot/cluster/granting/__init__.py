"""Carries out a round's plan: bindings and evictions, each idempotent, each safe to be killed in the middle of."""
