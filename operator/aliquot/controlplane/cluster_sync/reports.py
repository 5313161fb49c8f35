"""What a cluster says of itself, kept."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeGuard, TypeVar

from aliquot.contracts.administrator_api.shapes import to_milliseconds
from aliquot.contracts.cluster_orders import ReportedOrder
from aliquot.contracts.cluster_sync import Kind, Received, Report, Reported, ReportedNamed
from aliquot.contracts.cluster_workloads import ReportedEvent, ReportedPod, ReportedWorkload
from aliquot.controlplane.auth.cluster_permit import ClusterPermit
from aliquot.controlplane.auth.workload_keeper import Happening
from aliquot.controlplane.cluster_sync.rules import BeginAnew, Last, revision_of, shown, verdict
from aliquot.controlplane.database.tables import ClusterState, Document, Pod, Workload
from aliquot.controlplane.refusals import BadRequest, Conflict
from aliquot.controlplane.submissions.made import submitted_columns
from aliquot.controlplane.workloads.rules import (
    Written,
    event_document,
    is_of_others,
    pod_columns,
    projects_named,
    workload_columns,
    written,
)

RunningT = TypeVar("RunningT", ReportedWorkload, ReportedPod, ReportedEvent, ReportedOrder)
_MODELS: Final[Mapping[Kind, type[Workload] | type[Pod]]] = {"workload": Workload, "pod": Pod}
"""What is known by uid, and stays for a while when it is gone."""
_TOLD_ONCE: Final = frozenset[Kind](("event", "order"))
"""Kinds of which nobody says that an object is gone."""


def check_names(report: Report) -> None:
    """See that all names can be kept.

    Raises:
        BadRequest: one cannot.
    """
    for field, objects in (("objects", report.objects), ("gone", report.gone)):
        for index, each in enumerate(objects):
            if not isinstance(each, ReportedEvent) and not each.name.isprintable():
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
    _forget(permit, report)
    _keep_named(permit, [each for each in report.objects if _is_named(each)], report.session)
    _keep_running(permit, report)
    for kind in report.complete:
        if (model := _MODELS.get(kind)) is not None:
            permit.workloads.end_all_but(model, report.session)
        elif kind not in _TOLD_ONCE:
            permit.forget_all_but(kind, report.session)
    permit.workloads.trim(state.reported_ms)


def _forget(permit: ClusterPermit, report: Report) -> None:
    gone: dict[Kind, list[str]] = defaultdict(list)
    for each in report.gone:
        gone[each.kind].append(each.name)
    for kind, names in gone.items():
        if (model := _MODELS.get(kind)) is not None:
            permit.workloads.end(model, _ids(permit, names).values() if model is Workload else names)
        elif kind not in _TOLD_ONCE:
            permit.forget(kind, names)


def _ids(permit: ClusterPermit, uids: Collection[str]) -> Mapping[str, str]:
    """As what workloads are known here, by uid."""
    submitted = permit.orders.known(uids)
    return {uid: submitted[uid].id if uid in submitted else uid for uid in uids}


def _is_named(each: Reported) -> TypeGuard[ReportedNamed]:
    return not isinstance(each, ReportedWorkload | ReportedPod | ReportedEvent | ReportedOrder)


def _keep_named(permit: ClusterPermit, objects: Sequence[ReportedNamed], session: str) -> None:
    """Keep objects by kind and name; of one that is there twice the later one counts."""
    found: dict[Kind, dict[str, Document]] = defaultdict(dict)
    for each in objects:
        found[each.kind][each.name] = shown(each.model_dump(mode="json", by_alias=True, exclude={"kind", "name"}))
    for kind, documents in found.items():
        permit.keep(kind, documents, session)


def _keep_running(permit: ClusterPermit, report: Report) -> None:
    """Keep workloads, then their pods and Events, by uid; of one that is there twice the later one counts.

    What was submitted here is known by its id here. What became of orders comes last: it is about workloads.
    """
    workloads = [_cleaned(each) for each in report.objects if isinstance(each, ReportedWorkload)]
    pods = [_cleaned(each) for each in report.objects if isinstance(each, ReportedPod)]
    events = [_cleaned(each)[0] for each in report.objects if isinstance(each, ReportedEvent)]
    orders = [_cleaned(each)[0] for each in report.objects if isinstance(each, ReportedOrder)]
    keeper = permit.workloads
    places = keeper.places(projects_named([each for each, _ in (*workloads, *pods)]))
    permit.orders.bind(
        {each.id: (each.submission, each.type, each.project) for each, _ in workloads if each.submission is not None}
    )
    lost = {each.involved_uid for each in events if each.workload is None}
    about = {each.workload for each in (*(pod for pod, _ in pods), *events) if each.workload}
    named = {each.id for each, _ in workloads} | about | lost
    submitted = permit.orders.known(named)
    ids = {uid: submitted[uid].id if uid in submitted else uid for uid in named}
    if workloads:
        kept = {
            ids[each.id]: workload_columns(each, document, places.get(each.project or ""))
            for each, document in workloads
        }
        for submission in submitted.values():
            if submission.id in kept:
                kept[submission.id] = submitted_columns(kept[submission.id], submission)
        keeper.keep(Workload, kept, report.session)
    if pods:
        placed = {each.id: pod_columns(each, document, places.get(each.project or "")) for each, document in pods}
        keeper.keep(
            Pod,
            {uid: {**columns, "workload_id": ids[columns["workload_id"]]} for uid, columns in placed.items()},
            report.session,
        )
    if events:
        of_pods = keeper.workloads_of(lost)
        keeper.record(
            {
                each.id: Happening(
                    ids[each.workload] if each.workload else of_pods.get(each.involved_uid, ids[each.involved_uid]),
                    to_milliseconds(each.created_at),
                    is_of_others(each),
                    event_document(each),
                )
                for each in events
            }
        )
    for each in orders:
        permit.orders.strike(each.name, each.number, each.outcome, each.message)


def _cleaned(said: RunningT) -> tuple[RunningT, Written]:
    """What a cluster says of an object without what cannot be shown, and the same written; mostly it is as it came."""
    document = written(said)
    clean = shown(document)
    return said if clean == document else said.model_validate(clean), clean


def _last(state: ClusterState) -> Last:
    ended = tuple(state.ended_sessions)
    return Last(state.term, state.session, state.sequence, ended, state.reported_ms or 0)


def _remember(state: ClusterState, last: Last) -> None:
    state.term, state.session, state.sequence = last.term, last.session, last.sequence
    state.ended_sessions, state.reported_ms = list(last.ended), last.taken_ms
