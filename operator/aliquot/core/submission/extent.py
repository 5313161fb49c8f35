"""How much of the contract is carried out: which parameters, and a refusal by name for every other one.

The schema accepts every parameter of the kind, so that manifests stay valid. A parameter that would be ignored must not
look as if it worked: a workload that gives one does not run, and says so.
"""

from typing import Final, cast

from aliquot.contracts.kinds.parameters import TrainingParameters
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.contracts.kinds.wrappers import Items, KeyedItems, Value, given
from aliquot.core.submission.problems import Problems

CARRIED_OUT: Final = frozenset(
    {
        "active",
        "annotations",
        "arguments",
        "auto_deletion_time_after_completion_seconds",
        "backoff_limit",
        "command",
        "completions",
        "cpu",
        "cpu_limit",
        "environment",
        "gpu",
        "image",
        "image_pull_policy",
        "labels",
        "memory",
        "memory_limit",
        "name",
        "name_prefix",
        "node_pool",
        "node_pools",
        "node_type",
        "parallelism",
        "username",
        "working_dir",
    }
)
"""The parameters of training workloads that do something."""

NOT_YET: Final = "not carried out yet: leave it out"


def refuse_the_rest(spec: TrainingSpec, problems: Problems) -> None:
    """Note every parameter that has a value and is not carried out."""
    for name in TrainingParameters.model_fields:
        if name not in CARRIED_OUT:
            value = _value(getattr(spec, name))
            if value is not None:
                problems.add(f"spec.{outside_name(name)}", value, NOT_YET)


def _value(parameter: object) -> object:
    """Return what a parameter says, None if nothing; of many items, their labels."""
    if isinstance(parameter, Value):
        return cast("Value[object, object]", parameter).value
    assert isinstance(parameter, Items | KeyedItems), f"a parameter of an unknown wrapper: {type(parameter)}"
    return ", ".join(sorted(given(cast("Items[object, object]", parameter).items))) or None
