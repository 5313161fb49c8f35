"""`/cluster-sync/v1`: for clusters only, with a secret of their own; no role opens it."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from aliquot.contracts.cluster_orders import ReportedOrder
from aliquot.contracts.cluster_sync import LONGEST_WAIT_SECONDS, MOST_BYTES, PREFIX, Received, Report
from aliquot.controlplane.auth.cluster_gate import ClusterGate, ClusterGateOfRequest
from aliquot.controlplane.cluster_sync.desired import desired
from aliquot.controlplane.cluster_sync.reports import check_names, take
from aliquot.controlplane.cluster_sync.rules import revision_text
from aliquot.controlplane.failures import in_words
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.services import services_of

router = APIRouter(prefix=PREFIX, include_in_schema=False, max_body_size=2 * MOST_BYTES)

SIGN_OF_LIFE_MS: Final = 10_000
"""One is written down so often at most."""


@router.get("/{clusterUuid}/desired")
async def get_desired(
    request: Request,
    gate: ClusterGateOfRequest,
    wait_seconds: Annotated[int, Query(alias="waitSeconds", ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
    if_none_match: Annotated[str, Header(alias="If-None-Match")] = "",
) -> Response:
    """Tell a cluster all that it is to have, once that is something else than it knows."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    revision, body = await run_in_threadpool(_looked, gate, known)
    services_of(request).clusters.take(gate.cluster_id)
    if body is None and wait_seconds:
        await _wait(request, gate.cluster_id, revision, wait_seconds)
        revision, body = await run_in_threadpool(_looked, gate, known)
    headers = {"ETag": _tag(revision), "Cache-Control": "no-store"}
    return (
        Response(status_code=304, headers=headers) if body is None else Response(body, 200, headers, "application/json")
    )


@router.post("/{clusterUuid}/reports")
async def report(request: Request, gate: ClusterGateOfRequest) -> Received:
    """Take what is new in a cluster."""
    await run_in_threadpool(gate.check)  # before anybody reads what a stranger sends
    services_of(request).clusters.take(gate.cluster_id)
    return await run_in_threadpool(_taken, gate, await request.body())


def _taken(gate: ClusterGate, body: bytes) -> Received:
    try:
        read = Report.model_validate_json(body)
    except ValidationError as error:
        raise BadRequest(*in_words(error.errors(include_url=False))) from error
    check_names(read)
    with gate.reporting(is_told_once=any(isinstance(each, ReportedOrder) for each in read.objects)) as permit:
        return take(permit, read)


def _looked(gate: ClusterGate, known: set[str]) -> tuple[int, bytes | None]:
    """The revision, and all that the cluster is to have; None: it knows."""
    with gate.reading() as permit:
        is_known = bool(known & {_tag(permit.revision), "*"})
        body = None if is_known else desired(permit).model_dump_json().encode()
        revision, is_fresh = permit.revision, permit.now_ms - permit.seen_ms() < SIGN_OF_LIFE_MS
    if not is_fresh:
        with gate.reporting() as writing:
            writing.state().seen_ms = writing.now_ms
    return revision, body


async def _wait(request: Request, cluster_id: str, revision: int, seconds: float) -> None:
    """Wait for another revision, as long as somebody waits for the answer."""
    waiting = asyncio.ensure_future(services_of(request).waiting.changed(cluster_id, revision, seconds))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        gone.cancel()
        await asyncio.gather(waiting, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    """Wait until the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _tag(revision: int) -> str:
    return f'"{revision_text(revision)}"'
