"""A clock that a test winds."""


class ManualClock:
    """Both of its hands are `seconds`, the wall clock's by an offset that a test may change: a clock that jumps."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.wall_offset_seconds = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds + self.wall_offset_seconds

    def monotonic(self) -> float:
        return self.seconds
