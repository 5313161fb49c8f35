"""The one error of the lab."""


class LabError(RuntimeError):
    """Something the lab needs is missing, did not start or was refused; the message says what to do about it."""
