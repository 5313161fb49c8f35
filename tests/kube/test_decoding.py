import msgspec
import pytest

from aliquot.kube.decoding import EventDecoder, EventType, Identity, PageDecoder, Undecodable


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    node_name: str = ""


class Pod(msgspec.Struct, frozen=True):
    metadata: Identity
    spec: Spec = Spec()


def pod(name: str, spec: object = None) -> dict[str, object]:
    return {
        "metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": "5", "labels": {}},
        "spec": {"nodeName": "node-1"} if spec is None else spec,
    }


def page(*items: object, **metadata: str) -> bytes:
    return msgspec.json.encode({"metadata": {"resourceVersion": "70", **metadata}, "items": list(items)})


def event(kind: str, of: object) -> bytes:
    return msgspec.json.encode({"type": kind, "object": of})


def test_a_page_has_its_objects_its_version_and_the_way_to_the_next() -> None:
    found = PageDecoder(Pod).decode(page(pod("a"), pod("b"), **{"continue": "token"}))
    assert [(one.metadata.name, one.spec.node_name) for one in found.items] == [("a", "node-1"), ("b", "node-1")]
    assert (found.resource_version, found.continue_token, found.undecodable) == ("70", "token", [])


def test_a_list_without_items_is_empty() -> None:
    found = PageDecoder(Pod).decode(b'{"metadata": {"resourceVersion": "70"}, "items": null}')
    assert (found.items, found.resource_version) == ([], "70")


def test_one_object_of_the_wrong_shape_does_not_spoil_the_others() -> None:
    found = PageDecoder(Pod).decode(page(pod("a"), pod("bad", "text"), pod("c")))
    assert [one.metadata.name for one in found.items] == ["a", "c"]
    (unfit,) = found.undecodable
    assert unfit.identity == Identity("ns", "bad", "uid-bad", "5")
    assert "spec" in unfit.error


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"metadata": {}}', b"\xff"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        PageDecoder(Pod).decode(body)


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_an_event_has_its_object(kind: str) -> None:
    found = EventDecoder(Pod).decode(event(kind, pod("a")))
    assert found.type == kind
    assert found.object is not None
    assert found.object.spec.node_name == "node-1"
    assert found.identity.resource_version == "5"


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_an_event_of_the_wrong_shape_still_says_which_object(kind: str) -> None:
    found = EventDecoder(Pod).decode(event(kind, pod("bad", 7)))
    assert found.object is None
    assert found.undecodable() == Undecodable(Identity("ns", "bad", "uid-bad", "5"), found.error)
    assert "spec" in found.error


@pytest.mark.parametrize(
    "of", [{"metadata": {"resourceVersion": "90"}}, {"kind": "Pod", "metadata": {"resourceVersion": "90"}, "spec": 7}]
)
def test_a_bookmark_is_no_object(of: object) -> None:
    found = EventDecoder(Pod).decode(event("BOOKMARK", of))
    assert (found.type, found.object, found.error) == (EventType.BOOKMARK, None, "")
    assert found.identity.resource_version == "90"


def test_an_error_carries_its_status() -> None:
    found = EventDecoder(Pod).decode(event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}))
    assert found.type is EventType.ERROR
    assert found.status is not None
    assert (found.status.code, found.status.reason) == (410, "Expired")


@pytest.mark.parametrize("line", [b"", b"x", b"{}", b'{"type": "RENAMED", "object": {}}', b'{"type": "ADDED"}'])
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        EventDecoder(Pod).decode(line)
