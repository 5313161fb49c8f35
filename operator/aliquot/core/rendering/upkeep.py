"""What a workload has beside its pods, looked at again: as it was made, or how to bring it back to that.

A claim is never changed: it holds data, people make it larger, and one that was there before is used as it is.
"""

from collections.abc import Mapping
from enum import Enum
from typing import cast

from aliquot.contracts.kubernetes import ObjectBeside, OwnerReference
from aliquot.core.rendering.context import Manifest, Owner

_CLAIM = "PersistentVolumeClaim"


class Standing(Enum):
    """How an object that is there compares with the one that a workload needs."""

    SOUND = "as it was made"
    CHANGED = "the workload's own, and not as it was made"
    GOING = "being deleted"
    TAKEN = "somebody else's"


def standing(manifest: Manifest, found: ObjectBeside, owner: Owner) -> Standing:
    """Say how an object stands.

    Args:
        manifest: what the workload needs (`objects_beside`).
        found: the object of that name.
        owner: the workload.
    """
    holder, claim = holder_of(found), manifest["kind"] == _CLAIM
    if holder.uid != owner.uid if holder is not None else not claim:
        return Standing.TAKEN
    if found.metadata.deletion_timestamp is not None:
        return Standing.GOING
    return Standing.SOUND if claim or _is_as_made(manifest, found) else Standing.CHANGED


def holder_of(found: ObjectBeside) -> OwnerReference | None:
    """Who the object goes with; None: with nobody."""
    return next((owner for owner in found.metadata.owner_references if owner.controller), None)


def mended(manifest: Manifest, whole: Mapping[str, object]) -> Manifest:
    """Make the object as it should be of the one that is there: what the API server and others added to it stays."""
    wanted, there = _members(manifest["metadata"]), _members(whole["metadata"])
    labels = {**_members(there.get("labels")), **_members(wanted["labels"])}
    annotations = {**_members(there.get("annotations")), **_members(wanted.get("annotations"))}
    return {
        **whole,
        "metadata": {**there, "labels": labels, **({"annotations": annotations} if annotations else {})},
        "spec": {**_members(whole.get("spec")), **_members(manifest["spec"])},
    }


def as_taken(manifest: Manifest, found: ObjectBeside) -> Manifest:
    """Return the manifest in the words of the API server, which has just been given it.

    It writes amounts in a form of its own and leaves out what is empty, and others may insist on something. What
    differs from this later was changed by hand.
    """
    metadata = _members(manifest["metadata"])
    for marks, theirs in (("labels", found.metadata.labels), ("annotations", found.metadata.annotations)):
        if marks in metadata:
            metadata = {**metadata, marks: _reworded(metadata[marks], theirs)}
    spec = _members(_reworded(manifest["spec"], found.spec))
    if "selector" in found.spec:
        spec["selector"] = found.spec["selector"]
    return {**manifest, "metadata": metadata, "spec": spec}


def _reworded(wanted: object, found: object) -> object:
    """What was found, as far as it was wanted."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        members, there = cast("dict[str, object]", wanted), cast("dict[str, object]", found)
        return {name: _reworded(value, there[name]) for name, value in members.items() if name in there}
    if not (isinstance(wanted, list) and isinstance(found, list)):
        return found
    entries, items = cast("list[object]", wanted), cast("list[object]", found)
    same = len(entries) == len(items)
    return [_reworded(entry, item) for entry, item in zip(entries, items, strict=True)] if same else items


def _is_as_made(manifest: Manifest, found: ObjectBeside) -> bool:
    spec, metadata = _members(manifest["spec"]), _members(manifest["metadata"])
    # With one label more a Service would select no pods.
    whole = found.spec.get("selector") == spec.get("selector")
    marked = _has(found.metadata.labels, metadata["labels"])
    annotated = _has(found.metadata.annotations, _members(metadata.get("annotations")))
    return whole and _has(found.spec, spec) and marked and annotated


def _has(found: object, wanted: object) -> bool:
    """Whether everything that is wanted is there, whatever else is."""
    if isinstance(wanted, dict):
        there = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        members = cast("dict[str, object]", wanted)
        return all(name in there and _has(there[name], value) for name, value in members.items())
    if isinstance(wanted, list):
        items = cast("list[object]", found) if isinstance(found, list) else []
        entries = cast("list[object]", wanted)
        return len(items) == len(entries) and all(map(_has, items, entries))
    return found == wanted


def _members(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value or {})
