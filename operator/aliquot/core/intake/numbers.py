"""Whole numbers in annotations."""


class UnreadableError(ValueError):
    """An annotation that asks for nothing that there could be. The message names it, its value, and what is allowed."""


def whole_number(key: str, written: str, most: int, least: int = 1) -> int:
    """Read the value of an annotation, from `least` to `most`.

    Raises:
        UnreadableError: it is something else.
    """
    plain = written.isascii() and written.isdigit() and len(written) <= 12
    if not plain or not least <= int(written) <= most:
        raise UnreadableError(f"{key} is {written!r}: allowed is a whole number from {least} to {most}")
    return int(written)
