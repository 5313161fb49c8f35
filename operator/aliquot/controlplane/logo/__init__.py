"""The tenant's logo, for user interfaces."""
