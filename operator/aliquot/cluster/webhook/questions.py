"""Questions of the API server, read into typed objects, and answers in its own form."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, get_args

import msgspec

from aliquot.cluster.mirror.parse import parse
from aliquot.cluster.resources import kind_of
from aliquot.contracts.admission import (
    API_VERSION,
    NOTHING,
    AdmissionAnswer,
    AdmissionRequest,
    AdmissionResponse,
    AdmissionReview,
    Cause,
    Details,
    GroupVersionKind,
    Status,
)
from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Pod
from aliquot.core.admission import Refusal, Reviewed, Surroundings, Verdict, review

MOST_CAUSES: Final = 200
"""Things that are wrong, told one by one; the message tells fewer."""
MOST_WARNINGS: Final = 10
LONGEST_WARNING: Final = 400
"""Characters. The API server cuts all warnings of an answer to 4096."""

REVIEWED: Final = {
    kind_of(model).name: kind_of(model)
    for model in (*get_args(Workload), *get_args(Policy), Project, Department, NodePool, AccessRule, RunaiConfig)
}
"""The custom resources that are reviewed, by name."""
POD: Final = "Pod"

_QUESTION: Final = msgspec.json.Decoder(AdmissionReview)
_POD: Final = msgspec.json.Decoder(Pod)


class UnreadableQuestion(ValueError):  # noqa: N818 - it says what it is, like the problems of kube
    """Something came that is no AdmissionReview."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    Attributes:
        kind: of the object, for metrics; `other` for kinds that are not reviewed.
        namespace: of the object; empty for cluster-wide kinds.
        name: of the object; empty while it is still to be generated.
        verdict: what was said of it.
        body: the same as JSON.
    """

    kind: str
    namespace: str
    name: str
    verdict: Verdict
    body: bytes


def answer(body: bytes, known: Surroundings) -> Answer:
    """Answer a question.

    Args:
        body: an AdmissionReview as JSON.
        known: what is known of the cluster.

    Raises:
        UnreadableQuestion: the body is none.
    """
    try:
        request = _QUESTION.decode(body).request
        new, old = _object(request, request.object), _object(request, request.old_object)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableQuestion(f"this is no AdmissionReview: {error}") from error
    verdict = Verdict() if new is None else review(new, old, known)
    response = AdmissionResponse(
        uid=request.uid,
        allowed=verdict.allowed,
        status=None if verdict.allowed else _status(request, verdict),
        warnings=tuple(warning[:LONGEST_WARNING] for warning in verdict.warnings[:MOST_WARNINGS]),
    )
    envelope = AdmissionAnswer(response=response, api_version=API_VERSION, kind="AdmissionReview")
    return Answer(
        kind=_known_name(request.kind) or "other",
        namespace=request.namespace,
        name=request.name,
        verdict=verdict,
        body=msgspec.json.encode(envelope),
    )


def _known_name(kind: GroupVersionKind) -> str | None:
    if (kind.group, kind.kind) == ("", POD):
        return POD
    found = REVIEWED.get(kind.kind)
    return found.name if found is not None and found.group == kind.group else None


def _object(request: AdmissionRequest, raw: msgspec.Raw) -> Reviewed | None:
    """The object; None where there is none, or one of which nothing can be said.

    What its model cannot read is the API server's to refuse: it has checked the same schema before it asked us.
    """
    name = _known_name(request.kind)
    if name is None or bytes(raw) == bytes(NOTHING):
        return None
    if name == POD:
        return _POD.decode(raw)
    parsed = parse(REVIEWED[name], msgspec.json.decode(raw, type=dict[str, object]))
    assert parsed is None or isinstance(parsed, Reviewed), f"{name} is among what is reviewed"
    return parsed


def _status(request: AdmissionRequest, verdict: Verdict) -> Status:
    return Status(
        code=HTTPStatus.UNPROCESSABLE_ENTITY,
        reason="Invalid",
        message=verdict.message,
        details=Details(
            name=request.name,
            group=request.kind.group,
            kind=request.kind.kind,
            causes=tuple(map(_cause, verdict.refusals[:MOST_CAUSES])),
        ),
    )


def _cause(refusal: Refusal) -> Cause:
    return Cause(reason="FieldValueInvalid", field=refusal.field, message=refusal.beside_field)
