"""What must never be so, however busy the machine is."""


class BrokenLawError(AssertionError):
    """A law of the whole system was broken, such as a GPU given twice.

    Unlike something that was waited for and has not come, which a busy machine may explain, it is never given a second
    go (tests/conftest.py).
    """
