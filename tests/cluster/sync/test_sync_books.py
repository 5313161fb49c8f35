"""What a session tells of objects: everything once, then what differs, in parts that fit into a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from aliquot.cluster.sync.books import Batch, Books
from aliquot.contracts.cluster_sync import KINDS, MOST_BYTES, MOST_OBJECTS, Kind

World = dict[tuple[Kind, str], bytes]


def there(world: World) -> dict[Kind, list[str]]:
    return {kind: [name for of, name in world if of == kind] for kind in KINDS}


def begun(world: World) -> Books:
    books = Books()
    books.begin(there(world))
    return books


def told(books: Books, world: World) -> list[Batch]:
    batches: list[Batch] = []
    while books.has_more:
        batches.append(books.next(lambda kind, name: world.get((kind, name))))
        assert len(batches) < 1000
    return [batch for batch in batches if not batch.says_nothing]


def test_an_empty_cluster_says_that_it_has_nothing() -> None:
    [batch] = told(begun({}), {})
    assert batch == Batch(complete=KINDS)


def test_a_session_tells_everything_once_and_then_nothing() -> None:
    world: World = {("node", "n1"): b"1", ("project", "a"): b"2"}
    books = begun(world)
    [batch] = told(books, world)
    assert batch == Batch((b"1", b"2"), (), KINDS)
    assert not books.has_more
    books.changed("node", "n1")
    assert told(books, world) == [], "it was looked at, and was as it had been told"


def test_what_differs_and_what_is_gone_is_told() -> None:
    world: World = {("node", "n1"): b"1", ("project", "a"): b"2"}
    books = begun(world)
    told(books, world)
    world[("node", "n1")] = b"3"
    del world[("project", "a")]
    books.changed("node", "n1")
    books.changed("project", "a")
    books.changed("project", "never told")
    assert told(books, world) == [Batch((b"3",), (("project", "a"),))]


def test_nobody_says_that_an_event_is_gone() -> None:
    world: World = {("event", "ns/e1"): b"1", ("workload", "w1"): b"2"}
    books = begun(world)
    told(books, world)
    world.clear()
    books.changed("event", "ns/e1")
    books.changed("workload", "w1")
    assert told(books, world) == [Batch((), (("workload", "w1"),))]


def test_a_kind_is_complete_with_the_last_of_its_objects() -> None:
    world: World = {("node", f"n{number}"): b"x" for number in range(MOST_OBJECTS + 1)}
    batches = told(begun(world), world)
    assert [len(batch.objects) for batch in batches] == [MOST_OBJECTS, 1], "also when others had turns meanwhile"
    assert [batch.complete for batch in batches] == [(), KINDS]


@pytest.mark.parametrize(("size", "parts"), [(MOST_BYTES // 2, [2, 1]), (MOST_BYTES * 2, [1, 1, 1])])
def test_a_report_is_no_longer_than_it_may_be(size: int, parts: list[int]) -> None:
    world: World = {("node", f"n{number}"): b"x" * size for number in range(3)}
    assert [len(batch.objects) for batch in told(begun(world), world)] == parts


def test_looking_at_many_that_did_not_change_gives_others_a_turn() -> None:
    world: World = {("node", f"n{number}"): b"x" for number in range(5000)}
    books = begun(world)
    told(books, world)
    for _, name in world:
        books.changed("node", name)
    looked = 0

    def look(kind: Kind, name: str) -> bytes:
        nonlocal looked
        looked += 1
        return world[kind, name]

    assert books.next(look).says_nothing
    assert looked <= MOST_OBJECTS
    assert books.has_more


def test_what_goes_while_a_report_is_being_made_is_not_told_of_in_the_same_report() -> None:
    world: World = {("node", f"n{number}"): b"x" for number in range(300)}
    books = begun(world)
    assert books.next(lambda kind, name: world.get((kind, name))).says_nothing, "others have their turn"
    del world[("node", "n0")]
    books.changed("node", "n0")
    first, second = told(books, world)
    assert (len(first.objects), first.gone) == (300, ())
    assert second.gone == (("node", "n0"),)


@given(st.lists(st.integers(0, MOST_BYTES), max_size=20))
def test_nothing_is_lost_on_the_way_into_reports(sizes: list[int]) -> None:
    world: World = {("project", f"p{number}"): bytes(size) + b"%d" % number for number, size in enumerate(sizes)}
    batches = told(begun(world), world)
    assert sorted(each for batch in batches for each in batch.objects) == sorted(world.values())


class TwoSides(RuleBasedStateMachine):
    """Whatever comes, changes and goes, and whenever a session ends: the other side has what is there."""

    @initialize()
    def start(self) -> None:
        self.world: World = {}
        self.other: World = {}
        self.books = begun(self.world)
        self.deliver()

    names = st.tuples(
        st.sampled_from([kind for kind in KINDS if kind not in ("event", "order")]), st.sampled_from("abc")
    )

    @rule(place=names, says=st.sampled_from([b"1", b"2"]))
    def comes_or_changes(self, place: tuple[Kind, str], says: bytes) -> None:
        self.world[place] = b"%s %s" % (place[1].encode(), says)
        self.books.changed(*place)

    @rule(place=names)
    def goes(self, place: tuple[Kind, str]) -> None:
        self.world.pop(place, None)
        self.books.changed(*place)

    @rule()
    def session_ends(self) -> None:
        self.books.begin(there(self.world))

    @rule(place=names)
    def the_other_side_is_restored_and_a_session_ends(self, place: tuple[Kind, str]) -> None:
        self.other = {place: b"old"}
        self.books.begin(there(self.world))

    @rule()
    def deliver(self) -> None:
        new: set[tuple[Kind, str]] = set()
        while self.books.has_more:
            looked: dict[bytes, tuple[Kind, str]] = {}

            def look(kind: Kind, name: str, looked: dict[bytes, tuple[Kind, str]] = looked) -> bytes | None:
                found = self.world.get((kind, name))
                if found is not None:
                    looked[kind.encode() + found] = (kind, name)
                    return kind.encode() + found
                return None

            batch = self.books.next(look)
            for place in batch.gone:
                self.other.pop(place, None)
            for each in batch.objects:
                self.other[looked[each]] = self.world[looked[each]]
                new.add(looked[each])
            for kind in batch.complete:
                for place in [place for place in self.other if place[0] == kind and place not in new]:
                    del self.other[place]
        assert self.other == self.world


TestTwoSides = TwoSides.TestCase
