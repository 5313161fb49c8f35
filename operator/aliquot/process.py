"""What all processes have in common: metrics of their own, and how they begin and end."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine

import uvloop
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from pydantic_settings import BaseSettings

from aliquot import log
from aliquot.settings import Log, unknown_variables

_log = log.get(__name__)


def registry_of_process() -> CollectorRegistry:
    """A registry with what Python and the system know of this process."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def run_until_told(settings: BaseSettings, logging: Log, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Do a process's work until SIGTERM or SIGINT; then it is cancelled, and awaited.

    Args:
        settings: all that the process has; variables that are none of them are told of.
        logging: those of its log.
        work: what it does.
    """
    log.configure(logging)
    for name in unknown_variables(os.environ, type(settings)):
        _log.warning("unknown setting: a typing error?", variable=name)
    uvloop.run(_until_told(work))


async def _until_told(work: Callable[[], Coroutine[None, None, None]]) -> None:
    working = asyncio.create_task(work())
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        _log.info("stopped")
