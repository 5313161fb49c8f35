"""From an inference workload to what is carried out."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from aliquot import names
from aliquot.contracts.kinds.workloads import InferenceSpec, InferenceWorkload
from aliquot.core.submission.counts import MOST_PODS, read_count
from aliquot.core.submission.pod_values import Network, ValidPod
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import read_pod
from aliquot.core.submission.spec import Defaults, Site

Metric = Literal["concurrency", "throughput"]
METRICS_ALLOWED: Final = "concurrency (requests at a time) or throughput (requests a second)"
NEVER_GIVEN_UP: Final = "left out: an inference workload never ends by itself"
MPS_ALLOWED: Final = "left out: only pods with a part of a GPU, by spec.gpu or spec.gpuMemory, share one"
PORT_MISSING: Final = "one port of the container, on which the model answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidInference:
    """An inference workload as it is carried out.

    Attributes:
        pod: what each of its pods is like.
        port: on which it answers.
        min_scale: pods at least.
        max_scale: pods at most; None: as many as the load asks for.
        metric: that the number of pods follows.
        target: its value for each pod; None: the autoscaler's own.
        autoscaler: its class, as Knative names it; None: the one that goes with the metric.
        private: whether it is reached from inside the cluster only.
    """

    pod: ValidPod
    port: int
    min_scale: int = 0
    max_scale: int | None = None
    metric: Metric = "concurrency"
    target: int | None = None
    autoscaler: str | None = None
    private: bool = False


def effective_inference(workload: InferenceWorkload, defaults: Defaults, site: Site | None = None) -> ValidInference:
    """Say what an inference workload asks for; arguments and errors as of `effective`."""
    problems = Problems()
    valid = read_inference(workload, defaults, site, problems)
    problems.raise_if_any()
    return valid


def read_inference(
    workload: InferenceWorkload, defaults: Defaults, site: Site | None, problems: Problems
) -> ValidInference:
    """Read an inference workload; arguments as of `effective`, but that `problems` takes what is wrong."""
    spec = workload.spec
    pod = read_pod(spec, workload.metadata, names.INFERENCE_PRIORITY_CLASS, defaults, site, problems)
    limit = spec.preemption_limit.value
    if limit is not None:
        problems.add("spec.preemptionLimit.value", limit, NEVER_GIVEN_UP)
    most = spec.max_scale.value
    least = read_count("minScale", spec.min_scale.value, 0, problems, most=MOST_PODS)
    if most is not None and not max(1, least) <= most <= MOST_PODS:
        problems.add("spec.maxScale.value", most, f"a whole number from {max(1, least)} to {MOST_PODS}")
    target = spec.target.value
    return ValidInference(
        pod=_sharing(pod, problems) if spec.mps.value else pod,
        port=_port(pod.network, problems),
        min_scale=least,
        max_scale=most,
        metric=_metric(spec, problems),
        target=None if target is None else read_count("target", target, 1, problems, least=1),
        autoscaler=spec.class_.value or None,
        private=bool(spec.is_private_service_url.value),
    )


def _sharing(pod: ValidPod, problems: Problems) -> ValidPod:
    """What a pod is like that shares its GPUs through NVIDIA's Multi-Process Service."""
    gpus = pod.compute.gpus
    if not gpus.part:
        problems.add("spec.mps.value", True, MPS_ALLOWED)
    return replace(pod, compute=replace(pod.compute, gpus=replace(gpus, mps=True)))


def _port(network: Network, problems: Problems) -> int:
    ports = dict.fromkeys(port.container for port in network.ports if port.protocol == "TCP")
    if len(ports) != 1:
        problems.add("spec.ports", ", ".join(map(str, ports)) or None, PORT_MISSING)
    return next(iter(ports), 0)


def _metric(spec: InferenceSpec, problems: Problems) -> Metric:
    """The others of the contract have not been supported since version 2.17 (cluster-api.md 1.4, 9)."""
    if spec.metric_name.value is not None:
        problems.add("spec.metricName.value", spec.metric_name.value, "left out; spec.metric says which it is")
    metric = spec.metric.value
    if metric not in (None, "concurrency", "throughput"):
        problems.add("spec.metric.value", metric, METRICS_ALLOWED)
    return "throughput" if metric == "throughput" else "concurrency"
