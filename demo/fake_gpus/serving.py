"""Runs the fake device plugin: an endpoint for every resource that the state file has, until told to stop."""

import asyncio
import logging
import signal
from functools import partial
from pathlib import Path

from demo.fake_gpus.endpoint import Endpoint
from demo.fake_gpus.offers import FakeNvml, offers
from demo.fake_gpus.plugin import Plugin
from demo.fake_gpus.watching import WatchedState

_POLL_SECONDS = 0.1


async def serve(state_file: Path, folder: Path, nvml: FakeNvml | None, stop: asyncio.Event) -> None:
    """Offer the kubelet what the file has, and register anew whenever the kubelet restarts.

    Args:
        state_file: what the node has.
        folder: the kubelet's folder of device plugins.
        nvml: what containers get beside the names of their devices; None: nothing.
        stop: ends it.

    Raises:
        StateError: the file is not in order at the start. Later on, the last state stays in force.
    """
    watched = WatchedState(state_file)
    endpoints: dict[str, Endpoint] = {}
    try:
        while not stop.is_set():
            await watched.poll()
            # One whose last device went stays, with an empty list, as the kubelet expects.
            for resource in offers(watched.node):
                if resource not in endpoints:
                    endpoints[resource] = Endpoint(resource, folder, partial(Plugin, resource, watched, nvml))
            for endpoint in endpoints.values():
                await endpoint.keep()
            try:
                await asyncio.wait_for(stop.wait(), _POLL_SECONDS)
            except TimeoutError:
                continue
    finally:
        for endpoint in endpoints.values():
            await endpoint.close()


async def run(state_file: Path, folder: Path, nvml: FakeNvml | None) -> None:
    """`serve` until SIGTERM or SIGINT."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(state_file, folder, nvml, stop)
