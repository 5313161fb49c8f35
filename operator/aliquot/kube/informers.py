"""What all informers of a process have in common, said once."""

from dataclasses import dataclass
from typing import TypeVar

from aliquot.clock import Clock
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import HasMetadata
from aliquot.kube.informer import Informer
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.passing import Passing
from aliquot.kube.resources import Resource

T = TypeVar("T", bound=HasMetadata)


@dataclass(frozen=True, slots=True)
class Informers:
    """Makes informers.

    Attributes:
        api: an open client.
        clock: says since when there was no contact.
        metrics: where events and restarts are counted.
        silence_seconds: a stream without event or bookmark for so long is opened anew; bookmarks come every 60 s.
    """

    api: ApiClient
    clock: Clock
    metrics: WatchMetrics
    silence_seconds: float = 90

    def of(
        self,
        resource: Resource,
        projection: type[T],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> Informer[T]:
        """Make an informer of a kind, which begins when it is run; see `Informer`."""
        return Informer(
            self.api,
            resource,
            projection,
            self.clock,
            self.metrics,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            silence_seconds=self.silence_seconds,
        )

    def passing(self, resource: Resource, projection: type[T]) -> Passing[T]:
        """Make what hears of all objects of a kind and keeps none; see `Passing`."""
        return Passing(self.api, resource, projection, self.clock, self.metrics, silence_seconds=self.silence_seconds)
