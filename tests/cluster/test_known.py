"""What informers of custom resources put into the mirror: all of an object, each kind by itself."""

import msgspec
import pytest

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.mirror.parse import Whole, parse_whole
from aliquot.cluster.resources import POLICY_MODELS, kind_of
from aliquot.contracts.kinds.catalogue import workload_kind
from aliquot.contracts.kinds.workloads import DistributedWorkload


def whole(kind: str, uid: str, **parts: object) -> Whole:
    """As the watch of a kind gives it."""
    metadata = {"name": "limits", "namespace": "a", "uid": uid, "resourceVersion": "7"}
    body = {"apiVersion": "run.ai/v2alpha1", "kind": kind, "metadata": metadata, **parts}
    return msgspec.json.decode(msgspec.json.encode(body), type=Whole)


def test_policies_of_different_kinds_may_have_one_name() -> None:
    mirror = Mirror()
    heard = {model: parsed_into(mirror.policies, model) for model in POLICY_MODELS}
    found = {model: whole(model.__name__, model.__name__, spec={"gpu": {"value": "1"}}) for model in POLICY_MODELS}
    for model, listener in heard.items():
        listener(None, found[model])
    for model in POLICY_MODELS:
        [policy] = mirror.policies_for(workload_kind(model.__name__), "a")
        assert type(policy) is model
        assert key_of(policy) == Key("a", "limits", model.__name__)
        heard[model](found[model], None)
        assert mirror.policies_for(workload_kind(model.__name__), "a") == []
        assert mirror.policies.get(Key("a", "limits", model.__name__)) is None
    assert len(mirror.policies) == 0


@pytest.mark.parametrize("own", [None, {"cpu": {"value": "2"}}])
def test_a_master_comes_with_its_workload(own: dict[str, object] | None) -> None:
    parts = {} if own is None else {"masterSpec": own}
    heard = whole("DistributedWorkload", "w", spec={"image": {"value": "x"}}, **parts)
    read = parse_whole(kind_of(DistributedWorkload), heard)
    assert isinstance(read, DistributedWorkload)
    assert (read.master_spec is None) is (own is None)
    assert own is None or (read.master_spec is not None and read.master_spec.cpu.value == "2")
