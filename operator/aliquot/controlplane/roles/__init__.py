"""Roles and permissions, to be looked at: they are fixed."""
