"""What a cluster says of itself, kept."""

from collections import defaultdict
from collections.abc import Sequence

from aliquot.contracts.cluster_sync import KINDS, Kind, Received, Report, Reported
from aliquot.controlplane.auth.cluster_permit import ClusterPermit
from aliquot.controlplane.cluster_sync.rules import BeginAnew, Last, revision_of, shown, verdict
from aliquot.controlplane.database.tables import ClusterState, Document
from aliquot.controlplane.refusals import BadRequest, Conflict


def check_names(report: Report) -> None:
    """See that all names can be kept.

    Raises:
        BadRequest: one cannot.
    """
    for field, objects in (("objects", report.objects), ("gone", report.gone)):
        for index, each in enumerate(objects):
            if not each.name.isprintable():
                raise BadRequest(
                    f"Bad request - {field}.{index}.name: {each.name!r} is not allowed: printable characters only"
                )


def take(permit: ClusterPermit, report: Report) -> Received:
    """Take a report, unless it was taken before.

    Raises:
        Conflict: the cluster has to begin a new session.
    """
    state = permit.state()
    last = _last(state)
    found = verdict(last, report.term, report.session, report.sequence, permit.now_ms)
    if isinstance(found, BeginAnew):
        raise Conflict("Begin a new session.", found.why)
    state.seen_ms = permit.now_ms
    if found == "take":
        _write(permit, state, report)
        _remember(state, last.after(report.term, report.session, report.sequence, permit.now_ms))
    return Received(sequence=state.sequence)


def _write(permit: ClusterPermit, state: ClusterState, report: Report) -> None:
    if report.cluster is not None:
        state.document = shown(report.cluster.model_dump(mode="json", by_alias=True))
        applied = revision_of(report.cluster.applied_revision)
        if applied is not None:  # else what it had before is what most objects are made of
            state.applied_revision = applied
    for kind in KINDS:
        gone = [each.name for each in report.gone if each.kind == kind]
        if gone:
            permit.forget(kind, gone)
    for kind, documents in _by_kind(report.objects).items():
        permit.keep(kind, documents, report.session)
    for kind in report.complete:
        permit.forget_all_but(kind, report.session)


def _by_kind(objects: Sequence[Reported]) -> dict[Kind, dict[str, Document]]:
    """Documents by kind and name; of an object that is there twice the later one counts."""
    found: dict[Kind, dict[str, Document]] = defaultdict(dict)
    for each in objects:
        found[each.kind][each.name] = shown(each.model_dump(mode="json", by_alias=True, exclude={"kind", "name"}))
    return found


def _last(state: ClusterState) -> Last:
    ended = tuple(state.ended_sessions)
    return Last(state.term, state.session, state.sequence, ended, state.reported_ms or 0)


def _remember(state: ClusterState, last: Last) -> None:
    state.term, state.session, state.sequence = last.term, last.session, last.sequence
    state.ended_sessions, state.reported_ms = list(last.ended), last.taken_ms
