"""What was heard and what was answered, in every order: the newest counts, and what is gone does not come back."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from aliquot.cluster.mirror.answered import Answered
from aliquot.kube.decoding import Identity
from aliquot.kube.transport import Limits
from tests.kube.eventually import eventually
from tests.kube.scripted_server import Json, ScriptedServer, client_of, stream
from tests.kube.test_informer import Pod, Watcher, bookmark, pod, pods

Event = tuple[str, Json]


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    async with ScriptedServer().running() as running:
        yield running


def answer(version: int) -> Pod:
    return Pod(Identity("ns", "a", "uid-a", str(version)))


@pytest.mark.parametrize(
    ("events", "answers", "known"),
    [
        ([], [5], "5"),
        ([("ADDED", pod("a", 3))], [5], "5"),
        ([("ADDED", pod("a", 5))], [5], "5"),
        ([("ADDED", pod("a", 6))], [5], "6"),
        ([("ADDED", pod("a", 5)), ("DELETED", pod("a", 7))], [5], None),
        ([("ADDED", pod("a", 3)), ("DELETED", pod("a", 4))], [5], "5"),
        ([bookmark(9)], [5], None),
        ([], [5, 6], "6"),
        ([], [6, 5], "6"),
    ],
    ids=[
        "not heard of yet",
        "heard of an older one",
        "heard of the very one",
        "heard of a newer one",
        "made and deleted before the answer came",
        "taken off the watch, and put back by us",
        "all that came before is heard, and it is not there",
        "two answers",
        "two answers, the later one first",
    ],
)
async def test_the_newest_counts(
    server: ScriptedServer, tmp_path: Path, events: list[Event], answers: list[int], known: str | None
) -> None:
    server.replies.append(pods(1))
    server.watches.append(stream(*events, then="silence"))
    async with client_of(server.url, tmp_path, Limits(attempts=1)) as client:
        watcher = Watcher(client)
        answered = Answered(watcher.informer)
        async with watcher.running():
            heard = events[-1][1]["metadata"]["resourceVersion"] if events else "1"
            await eventually(lambda: watcher.informer.resource_version == heard)
            for version in answers:
                answered.put(answer(version))
            found = answered.get("ns", "a")
    assert (found and found.metadata.resource_version) == known


async def test_what_is_deleted_after_the_answer_is_gone(server: ScriptedServer, tmp_path: Path) -> None:
    server.replies.append(pods(1))
    server.watches.append(stream(("ADDED", pod("a", 5)), ("DELETED", pod("a", 6)), then="silence"))
    async with client_of(server.url, tmp_path, Limits(attempts=1)) as client:
        watcher = Watcher(client)
        answered = Answered(watcher.informer)
        answered.put(answer(5))
        async with watcher.running():
            await watcher.hears("a ->5", "a 5>-")
            assert answered.get("ns", "a") is None
