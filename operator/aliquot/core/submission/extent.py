"""How much of the contract is carried out: every parameter but a few, and a refusal by name for each of these.

The schema accepts every parameter of the kind, so that manifests stay valid. A parameter that would be ignored must not
look as if it worked: a workload that gives one does not run, and says so.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from aliquot.contracts.kinds.parameters import (
    DistributedParameters,
    InferenceParameters,
    InteractiveParameters,
    TrainingParameters,
)
from aliquot.contracts.kinds.shapes import Shape, outside_name
from aliquot.contracts.kinds.wrappers import Items, KeyedItems, Value, Values, given
from aliquot.core.submission.problems import Problems

_AS_DISTRIBUTED: Final = "left out: submit a DistributedWorkload with jobType MPIJob instead"
_OF_ANY: Final[Mapping[str, str]] = MappingProxyType(
    {"ingress_url": "left out: it is set by the system; give spec.exposedUrls"}
)
_OF_INTERACTIVE: Final[Mapping[str, str]] = MappingProxyType(
    {**_OF_ANY, "mpi": _AS_DISTRIBUTED, "processes": _AS_DISTRIBUTED, "slots_per_worker": _AS_DISTRIBUTED}
)


def not_carried_out(parameters: type[Shape]) -> Mapping[str, str]:
    """Return the parameters of a kind that nothing comes of, and what to do instead."""
    return _OF_INTERACTIVE if issubclass(parameters, InteractiveParameters) else _OF_ANY


def carried_out(parameters: type[Shape]) -> frozenset[str]:
    """Return the parameters of a kind that do something."""
    return frozenset(parameters.model_fields) - not_carried_out(parameters).keys()


CARRIED_OUT: Final = carried_out(TrainingParameters)
"""The parameters of training workloads that do something."""
PARAMETERS: Final[tuple[type[Shape], ...]] = (
    TrainingParameters,
    InteractiveParameters,
    InferenceParameters,
    DistributedParameters,
)
"""Those of each workload kind."""


def refuse_the_rest(spec: Shape, problems: Problems) -> None:
    """Note every parameter that has a value and is not carried out; false asks for nothing."""
    for name, allowed in not_carried_out(type(spec)).items():
        value = _value(getattr(spec, name, None))
        if value is not None and value is not False:
            problems.add(f"spec.{outside_name(name)}", value, allowed)


def _value(parameter: object) -> object:
    """Return what a parameter says, None if nothing; of many items, their labels."""
    if parameter is None:
        return None
    if isinstance(parameter, Value):
        return cast("Value[object, object]", parameter).value
    if isinstance(parameter, Values):
        return cast("Values[object]", parameter).values
    assert isinstance(parameter, Items | KeyedItems), f"a parameter of an unknown wrapper: {type(parameter)}"
    return ", ".join(sorted(given(cast("Items[object, object]", parameter).items))) or None
