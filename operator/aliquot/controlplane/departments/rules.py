"""Rules of departments (control-plane-api.md 4.1, 4.3)."""

from typing import Final

DEFAULT_DEPARTMENT: Final = "default"
"""Every cluster has it; projects that name no department are in it."""
