"""Waiting for a condition, with a deadline that only a failure meets."""

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 120.0


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: it does not, after so long that it never will.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)
