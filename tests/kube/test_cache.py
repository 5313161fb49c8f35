from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aliquot.kube.cache import Key, ObjectCache
from aliquot.kube.decoding import Identity, Undecodable


class Thing(msgspec.Struct, frozen=True):
    metadata: Identity


Change = tuple[Thing | None, Thing | None]


def thing(name: str, uid: str, version: str = "1") -> Thing:
    return Thing(Identity("ns", name, uid, version))


def unfit(name: str, uid: str) -> Undecodable:
    return Undecodable(Identity("ns", name, uid, "9"), "spec is no object")


def filled(*things: Thing) -> ObjectCache[Thing]:
    cache = ObjectCache[Thing]()
    list(cache.replace(things, []))
    return cache


def test_a_list_reports_what_is_gone_new_and_changed_and_is_silent_about_the_rest() -> None:
    cache = filled(thing("gone", "1"), thing("same", "2"), thing("changed", "3"))
    changes = list(cache.replace([thing("same", "2"), thing("changed", "3", "2"), thing("new", "4")], []))
    assert changes == [
        (thing("gone", "1"), None),
        (thing("changed", "3"), thing("changed", "3", "2")),
        (None, thing("new", "4")),
    ]


def test_a_name_that_belongs_to_another_uid_was_deleted_and_created() -> None:
    cache = filled(thing("a", "1"))
    assert list(cache.put(thing("a", "2"))) == [(thing("a", "1"), None), (None, thing("a", "2"))]


def test_a_late_deletion_does_not_hit_the_successor_of_the_same_name() -> None:
    cache = filled(thing("a", "2"))
    assert list(cache.remove(Identity("ns", "a", "1", "5"))) == []
    assert len(cache.objects) == 1


def test_an_object_that_no_longer_fits_keeps_its_last_good_version_until_it_goes() -> None:
    cache = filled(thing("a", "1"))
    assert list(cache.put_undecodable(unfit("a", "1"))) == []
    assert list(cache.replace([], [unfit("a", "1")])) == []
    assert set(cache.undecodable) == {("ns", "a")}
    assert list(cache.remove(Identity("ns", "a", "1"))) == [(thing("a", "1"), None)]
    assert not cache.undecodable


def test_an_object_that_does_not_fit_pushes_its_predecessor_of_the_same_name_out() -> None:
    cache = filled(thing("a", "1"))
    assert list(cache.put_undecodable(unfit("a", "2"))) == [(thing("a", "1"), None)]


def test_an_object_that_fits_again_is_no_longer_named_as_undecodable() -> None:
    cache = filled()
    list(cache.put_undecodable(unfit("a", "1")))
    assert list(cache.put(thing("a", "1"))) == [(None, thing("a", "1"))]
    assert not cache.undecodable


_THINGS = st.builds(thing, st.sampled_from("abc"), st.sampled_from("12"), st.sampled_from("123"))
_UNFIT = st.builds(unfit, st.sampled_from("abc"), st.sampled_from("12"))


@dataclass(frozen=True)
class Put:
    new: Thing

    def carry_out(self, cache: ObjectCache[Thing]) -> Iterator[Change]:
        return cache.put(self.new)


@dataclass(frozen=True)
class PutUnfit:
    found: Undecodable

    def carry_out(self, cache: ObjectCache[Thing]) -> Iterator[Change]:
        return cache.put_undecodable(self.found)


@dataclass(frozen=True)
class Remove:
    old: Thing

    def carry_out(self, cache: ObjectCache[Thing]) -> Iterator[Change]:
        return cache.remove(self.old.metadata)


@dataclass(frozen=True)
class Listed:
    items: list[Thing]
    undecodable: list[Undecodable]

    def carry_out(self, cache: ObjectCache[Thing]) -> Iterator[Change]:
        return cache.replace(self.fit(), self.undecodable)

    def fit(self) -> list[Thing]:
        names = {found.identity.name for found in self.undecodable}
        return [item for item in self.items if item.metadata.name not in names]

    def names(self) -> set[str]:
        return {item.metadata.name for item in self.items} | {found.identity.name for found in self.undecodable}


_STEPS = st.one_of(
    st.builds(Put, _THINGS),
    st.builds(PutUnfit, _UNFIT),
    st.builds(Remove, _THINGS),
    st.builds(
        Listed,
        st.lists(_THINGS, unique_by=lambda one: one.metadata.name),
        st.lists(_UNFIT, unique_by=lambda one: one.identity.name),
    ),
)


@given(st.lists(_STEPS, max_size=20))
def test_whoever_adds_up_changes_ends_with_the_contents(steps: list[Put | PutUnfit | Remove | Listed]) -> None:
    cache = ObjectCache[Thing]()
    added_up: dict[Key, Thing] = {}
    for step in steps:
        for old, new in step.carry_out(cache):
            one = new or old
            assert one is not None
            key = (one.metadata.namespace, one.metadata.name)
            assert old == added_up.get(key)
            assert old != new
            if old is not None and new is not None:
                assert old.metadata.uid == new.metadata.uid
            if new is None:
                del added_up[key]
            else:
                added_up[key] = new
            # Handlers that look into the cache see what they are told.
            assert cache.objects.get(key) == new
        assert added_up == cache.objects
        if isinstance(step, Listed):
            assert {name for _, name in cache.objects} <= step.names()
