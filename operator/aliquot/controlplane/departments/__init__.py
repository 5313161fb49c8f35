"""Departments: projects that share a quota."""
