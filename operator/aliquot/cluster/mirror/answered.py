"""What an informer has heard, and the answers to our own writes until it has heard of those too.

Without them a second look at an object that was just made would find it missing, and make it again.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from aliquot.kube.decoding import HasMetadata
from aliquot.kube.informer import Informer

T = TypeVar("T", bound=HasMetadata)


class Answered(Generic[T]):
    """The objects of one kind.

    Args:
        informer: hears of them.
    """

    def __init__(self, informer: Informer[T]) -> None:
        self._informer = informer
        self._answers: dict[tuple[str, str], T] = {}
        informer.add_handler(self._heard)

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name, None if there is none."""
        heard, answer = self._informer.get(namespace, name), self._answers.get((namespace, name))
        if answer is None:
            return heard
        # What comes after the answer is known to the informer alone, a deletion included.
        if max(_version(heard), int(self._informer.resource_version or 0)) >= _version(answer):
            del self._answers[namespace, name]
            return heard
        return answer

    def put(self, answer: T) -> None:
        """Learn of an object from the answer to a request."""
        metadata = answer.metadata
        if _version(self.get(metadata.namespace, metadata.name)) < _version(answer):
            self._answers[metadata.namespace, metadata.name] = answer

    def forget(self) -> Sequence[T]:
        """Forget the answers: their kind is gone, and what was written into it at the last moment is never heard of.

        Returns:
            What was known by them alone.
        """
        forgotten = list(self._answers.values())
        self._answers.clear()
        return forgotten

    def _heard(self, old: T | None, new: T | None) -> None:
        heard = new or old
        assert heard is not None
        key = (heard.metadata.namespace, heard.metadata.name)
        answer = self._answers.get(key)
        if answer is not None and _version(heard) >= _version(answer):
            del self._answers[key]


def _version(found: HasMetadata | None) -> int:
    return 0 if found is None else int(found.metadata.resource_version)
