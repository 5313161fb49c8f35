"""Which kinds can carry workloads out in this cluster: asked when somebody needs to know, and for a while remembered.

    serving.knative.dev      Service: inference with Knative
    kubeflow.org             MPIJob, of the MPI Operator or the Kubeflow Training Operator
    custom.metrics.k8s.io    metrics of pods that an autoscaler can follow

What is not there may be installed at any time, and is asked for more often: Knative whenever a workload begins, which
it does once.
"""

from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from aliquot import log
from aliquot.clock import Clock
from aliquot.core.rendering import (
    KNATIVE_GROUP,
    KNATIVE_KIND,
    KNATIVE_VERSION,
    MPI_GROUP,
    MPI_KIND,
    mpi_version,
)
from aliquot.kube.client import ApiClient
from aliquot.kube.discovery import served_names, served_versions
from aliquot.kube.problems import ApiProblem
from aliquot.kube.resources import Resource

_log = log.get(__name__)
_METRICS_GROUP: Final = "custom.metrics.k8s.io"
_OF_PODS: Final = "pods/"
_THERE_SECONDS: Final = 30.0
_MISSING_SECONDS: Final = 3.0
"""Workloads wait for that to change."""

ValueT = TypeVar("ValueT", bound=Sized)


@dataclass(slots=True)
class _Known(Generic[ValueT]):
    """What was answered last, and until when that counts.

    Attributes:
        missing_seconds: for how long nothing counts.
    """

    missing_seconds: float = _MISSING_SECONDS
    value: ValueT | None = None
    until: float = 0.0


class Served:
    """Asks the API server what it serves.

    Args:
        client: asks.
        clock: says how long ago it was asked.
    """

    def __init__(self, client: ApiClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._knative = _Known[tuple[Resource, ...]](missing_seconds=0)
        self._mpi = _Known[tuple[Resource, ...]]()
        self._metrics = _Known[frozenset[str]]()

    async def knative(self) -> Resource | None:
        """Where Knative Services are; None: there is no Knative.

        Raises:
            ApiProblem: the API server could not be asked.
        """
        found = await self._ask(self._knative, lambda: served_versions(self._client, KNATIVE_GROUP, KNATIVE_KIND))
        return next((each for each in found if each.version == KNATIVE_VERSION), None)

    async def mpi(self) -> Resource | None:
        """Where MPIJobs are, in the version that is written; None: nobody carries them out.

        Raises:
            ApiProblem: the API server could not be asked.
        """
        found = await self._ask(self._mpi, lambda: served_versions(self._client, MPI_GROUP, MPI_KIND))
        version = mpi_version([each.version for each in found])
        return next((each for each in found if each.version == version), None)

    async def metrics(self) -> frozenset[str]:
        """The metrics of pods that there are; those known last where nobody answers: their server is another one."""
        try:
            names = await self._ask(self._metrics, lambda: served_names(self._client, _METRICS_GROUP))
        except ApiProblem as problem:
            _log.warning("which metrics of pods there are could not be asked", problem=str(problem))
            names = self._metrics.value or frozenset[str]()
        return frozenset(name.removeprefix(_OF_PODS) for name in names if name.startswith(_OF_PODS))

    def forget(self) -> None:
        """Ask anew next time: what was there has gone."""
        self._knative.until = self._mpi.until = 0.0

    async def _ask(self, known: _Known[ValueT], question: Callable[[], Awaitable[ValueT]]) -> ValueT:
        now = self._clock.monotonic()
        if known.value is None or now >= known.until:
            known.value = await question()
            known.until = now + (_THERE_SECONDS if known.value else known.missing_seconds)
        return known.value
