"""Clients of the lab's API server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.config import from_kubeconfig
from aliquot.kube.metrics import RequestMetrics
from aliquot.kube.transport import Transport
from aliquot_lab import Cluster, FaultProxy
from aliquot_lab.kubeconfig import write


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncGenerator[ApiClient]:
    """A client of the server that a kubeconfig names."""
    clock = SystemClock()
    server = await from_kubeconfig(str(kubeconfig), clock)
    transport = Transport(server, clock, RequestMetrics(CollectorRegistry()), user_agent="aliquot-test/1")
    async with ApiClient(transport) as client:
        yield client


@pytest.fixture
async def lab_client(lab: Cluster) -> AsyncGenerator[ApiClient]:
    """A client of the lab's API server, as its administrator."""
    async with connected(lab.kubeconfig) as client:
        yield client


@pytest.fixture
async def proxied_client(lab: Cluster, fault_proxy: FaultProxy, tmp_path: Path) -> AsyncGenerator[ApiClient]:
    """The same, through the fault proxy of this test."""
    access = replace(lab.access, server=fault_proxy.url, authority=fault_proxy.authority)
    kubeconfig = write(tmp_path / "proxied.kubeconfig", access, user="administrator")
    async with connected(kubeconfig) as client:
        yield client
