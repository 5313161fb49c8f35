"""The flags that some kinds of jobs have: training and interactive ones, inference, and distributed ones."""

from dataclasses import dataclass, field
from typing import Annotated, Final

import typer

from aliquot.cli.submission.flags import KIND, none

DISTRIBUTED: Final = "Distributed"
INFERENCE: Final = "Inference"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFlags:
    """Whether it is training or interactive, and how many pods it has."""

    interactive: Annotated[
        bool, typer.Option("--interactive", help="A place to work in; never finishes.", rich_help_panel=KIND)
    ] = False
    jupyter: Annotated[
        bool, typer.Option("--jupyter", help="A Jupyter notebook; interactive.", rich_help_panel=KIND)
    ] = False
    preemptible: Annotated[
        bool,
        typer.Option("--preemptible", help="Interactive, over quota if need be.", rich_help_panel=KIND),
    ] = False
    completions: Annotated[
        int | None, typer.Option("--completions", min=1, help="Pods that must succeed.", rich_help_panel=KIND)
    ] = None
    parallelism: Annotated[
        int | None, typer.Option("--parallelism", min=1, help="Pods at a time.", rich_help_panel=KIND)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceFlags:
    """Whether it is inference, and how many pods answer."""

    inference: Annotated[
        bool, typer.Option("--inference", help="A model that answers requests.", rich_help_panel=INFERENCE)
    ] = False
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, help="Number of pods.", rich_help_panel=INFERENCE)
    ] = None
    min_replicas: Annotated[
        int | None, typer.Option("--min-replicas", min=0, help="Pods at least.", rich_help_panel=INFERENCE)
    ] = None
    max_replicas: Annotated[
        int | None, typer.Option("--max-replicas", min=1, help="Pods at most.", rich_help_panel=INFERENCE)
    ] = None
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="What their number follows: concurrency, throughput.", rich_help_panel=INFERENCE),
    ] = None
    target: Annotated[
        int | None, typer.Option("--target", min=1, help="Its value for each pod.", rich_help_panel=INFERENCE)
    ] = None
    autoscaler: Annotated[
        str | None, typer.Option("--class", help="Autoscaler, as Knative names it.", rich_help_panel=INFERENCE)
    ] = None
    private_service_url: Annotated[
        bool,
        typer.Option("--private-service-url", help="Reached from inside the cluster only.", rich_help_panel=INFERENCE),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributedFlags:
    """Workers, and what their master has otherwise."""

    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Number of workers.", rich_help_panel=DISTRIBUTED)
    ] = None
    clean_pod_policy: Annotated[
        str | None,
        typer.Option(
            "--clean-pod-policy", help="Pods deleted at the end: Running, All, None.", rich_help_panel=DISTRIBUTED
        ),
    ] = None
    master_args: Annotated[
        str | None,
        typer.Option("--master-args", help="Arguments of the master.", rich_help_panel=DISTRIBUTED),
    ] = None
    master_environment: Annotated[
        list[str],
        typer.Option("--master-environment", help="NAME=VALUE; NAME=- removes.", rich_help_panel=DISTRIBUTED),
    ] = field(default_factory=none)
    master_extended_resource: Annotated[
        list[str],
        typer.Option("--master-extended-resource", help="NAME=QUANTITY.", rich_help_panel=DISTRIBUTED),
    ] = field(default_factory=none)
    master_gpu: Annotated[
        str | None, typer.Option("--master-gpu", help="GPUs of the master.", rich_help_panel=DISTRIBUTED)
    ] = None
    master_no_pvcs: Annotated[
        bool, typer.Option("--master-no-pvcs", help="No claims in the master.", rich_help_panel=DISTRIBUTED)
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MpiFlags:
    """What only MPI has."""

    slots_per_worker: Annotated[
        int | None,
        typer.Option("--slots-per-worker", min=1, help="Processes on each worker.", rich_help_panel=DISTRIBUTED),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PyTorchFlags:
    """What only PyTorch has."""

    min_replicas: Annotated[
        int | None,
        typer.Option("--min-replicas", min=1, help="Pods of an elastic job at least.", rich_help_panel=DISTRIBUTED),
    ] = None
    max_replicas: Annotated[
        int | None,
        typer.Option("--max-replicas", min=1, help="Pods of an elastic job at most.", rich_help_panel=DISTRIBUTED),
    ] = None
