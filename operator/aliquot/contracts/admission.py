"""What the API server asks an admission webhook, and what it is told (admission.k8s.io/v1)."""

from typing import Final, Literal

import msgspec

from aliquot.contracts.kubernetes import Projection

API_VERSION: Final = "admission.k8s.io/v1"
NOTHING: Final = msgspec.Raw(b"null")

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class GroupVersionKind(Projection, frozen=True):
    """A kind, by all of its names."""

    group: str = ""
    version: str = ""
    kind: str = ""


class AdmissionRequest(Projection, frozen=True):
    """Somebody wants to write an object.

    Attributes:
        uid: to be repeated in the answer.
        kind: of the object, in the version in which it is sent to us.
        namespace: empty for cluster-wide kinds.
        name: empty while it is still to be generated.
        object: as it is to be; null when it is deleted.
        old_object: as it is; null when it is created.
    """

    uid: str
    kind: GroupVersionKind
    operation: Operation
    namespace: str = ""
    name: str = ""
    object: msgspec.Raw = NOTHING
    old_object: msgspec.Raw = NOTHING


class Cause(Projection, frozen=True):
    """One thing that is wrong; `kubectl` prints `field: message`, one a line."""

    reason: str
    field: str
    message: str


class Details(Projection, frozen=True):
    """Which object, and everything that is wrong with it."""

    name: str
    group: str
    kind: str
    causes: tuple[Cause, ...]


class Status(Projection, frozen=True):
    """Why an object is refused; what the API server answers to who wanted to write it."""

    code: int
    reason: str
    message: str
    details: Details


class AdmissionResponse(Projection, frozen=True):
    """The answer to a request.

    Attributes:
        allowed: whether the object is taken.
        status: why it is not.
        warnings: shown to who wrote it, whether it is taken or not.
    """

    uid: str
    allowed: bool
    status: Status | None = None
    warnings: tuple[str, ...] = ()


class AdmissionReview(Projection, frozen=True):
    """A question."""

    request: AdmissionRequest


class AdmissionAnswer(Projection, frozen=True):
    """An answer in the envelope of its question."""

    response: AdmissionResponse
    api_version: str
    kind: str
