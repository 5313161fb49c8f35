"""Flags of inference, to parameters of an InferenceWorkload: S39 of cluster-api.md 8.4; parameters: 1.4."""

from collections.abc import Mapping
from typing import Final

from aliquot.cli.submission.flags import LifeFlags
from aliquot.cli.submission.kind_flags import InferenceFlags, KindFlags
from aliquot.cli.submission.pod import wrapped
from aliquot.core.submission.problems import Problems

NEVER_FINISHES: Final = "left out: inference answers requests, and never finishes by itself"
_NO_INFERENCE: Final = "left out, or given together with --inference"
_HOW_MANY: Final = "left out, because --replicas says how many there are"


def inference(life: LifeFlags, kind: KindFlags, flags: InferenceFlags, problems: Problems) -> dict[str, object]:
    """Return the parameters that only inference has; `problems` takes the flags that do not go with it."""
    never: Mapping[str, object] = {
        "--interactive": kind.interactive or None,
        "--jupyter": kind.jupyter or None,
        "--preemptible": kind.preemptible or None,
        "--completions": kind.completions,
        "--parallelism": kind.parallelism,
        "--backoff-limit": life.backoff_limit,
        "--ttl-after-finish": life.ttl_after_finish,
    }
    _refuse(never, NEVER_FINISHES, problems)
    bounds = {"--min-replicas": flags.min_replicas, "--max-replicas": flags.max_replicas}
    if flags.replicas is not None:
        _refuse(bounds, _HOW_MANY, problems)
    least = flags.min_replicas if flags.replicas is None else flags.replicas
    most = flags.max_replicas if flags.replicas is None else flags.replicas
    scale = {"minScale": least, "maxScale": most}
    return {
        **{name: {"value": value} for name, value in scale.items() if value is not None},
        **wrapped(metric=flags.metric, target=flags.target, isPrivateServiceUrl=flags.private_service_url),
        **wrapped(**{"class": flags.autoscaler}),
    }


def refuse_inference(flags: InferenceFlags, problems: Problems) -> None:
    """Note the flags of inference that were given for something else."""
    given: Mapping[str, object] = {
        "--replicas": flags.replicas,
        "--min-replicas": flags.min_replicas,
        "--max-replicas": flags.max_replicas,
        "--metric": flags.metric,
        "--target": flags.target,
        "--class": flags.autoscaler,
        "--private-service-url": flags.private_service_url or None,
    }
    _refuse(given, _NO_INFERENCE, problems)


def _refuse(given: Mapping[str, object], allowed: str, problems: Problems) -> None:
    for flag, value in given.items():
        if value is not None:
            problems.add(flag, value, allowed)
