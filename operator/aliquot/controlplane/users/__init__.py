"""Users whose passwords are here."""
