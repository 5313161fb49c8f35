"""Whole numbers in annotations."""


class UnreadableError(ValueError):
    """An annotation that asks for nothing that there could be. The message names it, its value, and what is allowed."""


def whole_number(key: str, written: str, most: int) -> int:
    """Read the value of an annotation, from 1 to `most`.

    Raises:
        UnreadableError: it is something else.
    """
    plain = written.isascii() and written.isdigit() and len(written) <= 12
    if not plain or not 1 <= int(written) <= most:
        raise UnreadableError(f"{key} is {written!r}: allowed is a whole number from 1 to {most}")
    return int(written)
