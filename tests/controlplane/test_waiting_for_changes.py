"""Requests that wait for changes, whoever comes while the revisions are being read."""

import asyncio
import threading
from collections.abc import Collection, Mapping

from aliquot.controlplane.cluster_sync.waiting import Waiting

PATIENCE_SECONDS = 60


class Revisions:
    """The database, whose first answer takes until it is let go."""

    def __init__(self) -> None:
        self.now = {"a": 1, "b": 2}
        self.answers = 0
        self.is_asked, self.may_answer = threading.Event(), threading.Event()
        self._answered = threading.Condition()

    def read(self, clusters: Collection[str]) -> Mapping[str, int]:
        found = {name: revision for name, revision in self.now.items() if name in clusters}
        self.is_asked.set()
        assert self.may_answer.wait(PATIENCE_SECONDS)
        with self._answered:
            self.answers += 1
            self._answered.notify_all()
        return found

    def wait(self, times: int) -> bool:
        with self._answered:
            return self._answered.wait_for(lambda: self.answers >= times, PATIENCE_SECONDS)


async def play() -> None:
    revisions = Revisions()
    waiting = Waiting(revisions.read)

    def waits(cluster: str, known: int) -> asyncio.Task[None]:
        return asyncio.create_task(waiting.changed(cluster, known, PATIENCE_SECONDS))

    first = waits("a", 1)
    assert await asyncio.to_thread(revisions.is_asked.wait, PATIENCE_SECONDS)
    revisions.now["a"] = 3
    others = [waits("b", 2), waits("a", 3)]  # of another cluster, and one that knows more than was read
    await asyncio.sleep(0)
    revisions.may_answer.set()
    await asyncio.wait_for(first, PATIENCE_SECONDS)
    assert await asyncio.to_thread(revisions.wait, revisions.answers + 1)
    assert [other.done() for other in others] == [False, False]
    assert waiting.count == 2
    del revisions.now["b"]
    revisions.now["a"] = 4
    waiting.look()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*others)
    assert waiting.count == 0


def test_who_comes_while_revisions_are_read_is_not_sent_away_by_them() -> None:
    asyncio.run(play())
