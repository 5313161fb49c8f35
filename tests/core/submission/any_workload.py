"""Workloads, templates and policies of all kinds at random, as Hypothesis draws them, and what becomes of them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from aliquot.contracts.kinds.catalogue import Parameter, Wrapper, of_kind
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.core.rendering import Context, Owner, objects_beside, workload_pod
from aliquot.core.submission import (
    NOTHING,
    InvalidWorkload,
    Valid,
    ValidDistributed,
    carried_out,
    effective,
    effective_distributed,
    effective_inference,
    effective_interactive,
    inheritance_now,
)
from aliquot.core.submission.inheritance import with_inherited
from aliquot.core.submission.layers import DEFAULTS as DEFAULTS_LABEL
from aliquot.core.submission.master import MASTER, PARAMETERS
from tests.core.rendering.golden_pods import DEFAULTS, DOMAIN, PROJECT, SITE
from tests.core.submission.parameters_read import READ, REFUSED
from tests.core.submission.written import HERE, LABEL, WORKLOADS, Json, broken, plain, policy, workload, wrapped
from tests.support.written_cluster import Cluster

CASES: Final = int(os.environ.get("ALIQUOT_LAWS", "40"))
"""How many cases of each law are tried."""
laws = settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _wrapped(parameter: Parameter, plainly: object) -> Json:
    """A parameter as tests of single values have it: a value, or items by label."""
    if parameter.wrapper is Wrapper.VALUE:
        return {"value": plainly}
    items = cast("Mapping[str, object]", plainly)
    return {"items": {label: {"value": item} for label, item in items.items()}}


def _known(parameters: Mapping[str, Parameter]) -> dict[str, list[Json]]:
    """Of each parameter values that make sense, and some that do not."""
    known: dict[str, list[Json]] = {}
    for pieces in (*(spec for spec, *_ in READ), *(spec for spec, *_ in REFUSED)):
        for name, plainly in pieces.items():
            if name in parameters:
                known.setdefault(name, []).append(_wrapped(parameters[name], plainly))
    for name, parameter in parameters.items():
        known.setdefault(name, []).extend(wrapped(parameter, which) for which in range(3))
    return known


_KNOWN: Final = {**{kind: _known(of_kind(kind)) for kind in WORKLOADS}, MASTER: _known(PARAMETERS)}


def _one(parameter: Parameter, written: list[Json]) -> st.SearchStrategy[Json]:
    """One of the values; of items some deleted, some called DEFAULTS."""
    values = st.sampled_from(written[:-3] or written) | st.sampled_from(written)
    if parameter.wrapper not in (Wrapper.ITEMS, Wrapper.KEYED):
        return values
    items = values.map(lambda one: next(iter(one["items"].values())))
    gone = st.just({"deleted": True})
    labels = st.sampled_from(["A", "B", LABEL, DEFAULTS_LABEL])
    return values | st.dictionaries(labels, items | gone, max_size=3).map(lambda held: {"items": held})


def _specs(of: str, parameters: Mapping[str, Parameter], most: int) -> st.SearchStrategy[Json]:
    """Some parameters of a kind, with values."""
    names = st.lists(st.sampled_from(sorted(parameters)), max_size=most, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: _one(parameters[name], _KNOWN[of][name]) for name in chosen})
    )


def _policies(kind: str, given: Json) -> st.SearchStrategy[Json]:
    """Defaults for some parameters, and rules for some that are given."""
    ruled = {name: list(broken(each)) for name, each in of_kind(kind).items()}

    def with_rules(spec: Json, names: list[str], at: int) -> Json:
        rules = {name: ruled[name][at % len(ruled[name])][1] for name in names}
        return {name: {**rules.get(name, {}), **spec.get(name, {})} for name in {**spec, **rules}}

    names = st.sampled_from(sorted(ruled.keys() & given.keys()) or sorted(ruled)) | st.sampled_from(sorted(ruled))
    return st.builds(with_rules, _specs(kind, of_kind(kind), 4), st.lists(names, max_size=3), st.integers(0, 9))


@dataclass(frozen=True, repr=False)
class Case:
    """A workload, and what there is for it to take from."""

    given: Workload
    known: Cluster

    def __repr__(self) -> str:
        """What was written, for when a law does not hold."""
        written = [self.given, *self.known.templates, *self.known.every_policy]
        return json.dumps([plain(each) for each in written])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any workload, with a template and a policy or without."""
    kind = draw(st.sampled_from(WORKLOADS))

    def parts(most: int, **further: object) -> Json:
        written: Json = {"spec": {**draw(_specs(kind, of_kind(kind), most)), **further}}
        if kind == "DistributedWorkload" and draw(st.booleans()):
            written[MASTER] = draw(_specs(MASTER, PARAMETERS, most))
        return written

    based, ruled = draw(st.booleans()), draw(st.booleans())
    further: Json = {"image": {"value": "ubuntu"}, **({"baseWorkload": "defaults"} if based else {})}
    if kind == "DistributedWorkload":
        further["jobType"] = "PyTorchJob"
    if kind == "InferenceWorkload":
        further["ports"] = {"items": {"port": {"value": {"container": 8000}}}}
    written = parts(5, **further)
    return Case(
        workload(kind, **written),
        Cluster(
            templates=[workload(kind, "defaults", **parts(4, usage="Template"))] if based else [],
            every_policy=[policy(kind, draw(_policies(kind, written["spec"])))] if ruled else [],
        ),
    )


def taken(case: Case) -> Workload:
    """The workload with all that it takes from others."""
    return with_inherited(case.given, inheritance_now(case.given, case.known))


def read(whole: Workload) -> Valid:
    """What a workload asks for, whether or not somebody would do it already."""
    match whole:
        case TrainingWorkload() if whole.spec.mpi.value:
            return carried_out(whole, NOTHING, DEFAULTS, SITE)
        case TrainingWorkload():
            return effective(whole, DEFAULTS, SITE)
        case InteractiveWorkload():
            return effective_interactive(whole, DEFAULTS, SITE)
        case DistributedWorkload():
            return effective_distributed(whole, DEFAULTS, SITE)
        case InferenceWorkload():
            return effective_inference(whole, DEFAULTS, SITE)


def manifests(case: Case) -> list[list[Any]]:
    """For each pod of a workload its manifest, and those of what is beside it; none if the workload is refused."""
    whole = taken(case)
    try:
        valid = read(whole)
    except InvalidWorkload:
        return []
    owner = Owner("run.ai/v2alpha1", type(whole).__name__, HERE, "mine", "6d1b2f8e-0000")
    context = Context(owner, PROJECT, "mine", domain=DOMAIN)
    pods = [valid.worker, valid.master] if isinstance(valid, ValidDistributed) else [valid.pod]
    return [[workload_pod(pod, context, 0, 0, 0), *objects_beside(pod, context)] for pod in pods if pod is not None]
