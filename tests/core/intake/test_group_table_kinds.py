"""What becomes of each kind of scheduling.md 1.6: which pods are one job, its minimum, parts, priority, topology."""

import pytest

from tests.core.intake.group_world import World
from tests.core.intake.kinds_of_the_table import ROWS


@pytest.mark.parametrize(("given", "wanted"), ROWS.values(), ids=ROWS)
def test_pods_of_a_kind(given: str, wanted: str) -> None:
    assert World(given).outline() == wanted.strip()


WHOLE = "allowed is a whole number from 0 to 100000"
PROBLEMS: dict[str, tuple[str, list[str]]] = {
    "no replicas": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec: {pytorchReplicaSpecs: {Worker: {replicas: 0}}}
""",
        ["it asks for no pods at all: allowed is at least 1"],
    ),
    "a number that is none": (
        """
apiVersion: serving.knative.dev/v1
kind: Revision
name: r
annotations: {autoscaling.knative.dev/min-scale: many}
""",
        [f"metadata.annotations['autoscaling.knative.dev/min-scale'] is 'many': {WHOLE}"],
    ),
    "a member of another shape": (
        """
apiVersion: ray.io/v1
kind: RayCluster
name: r
spec: {workerGroupSpecs: [{groupName: g, replicas: [1], numOfHosts: -1}]}
""",
        [
            f"spec.workerGroupSpecs[0].replicas is [1]: {WHOLE}",
            f"spec.workerGroupSpecs[0].numOfHosts is -1: {WHOLE}",
        ],
    ),
    "segments of nothing": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
spec:
  pytorchReplicaSpecs: {Worker: {template: {metadata: {annotations: {kai.scheduler/segment-size: "0"}}}}}
""",
        ["annotation kai.scheduler/segment-size is '0': allowed is a whole number"],
    ),
}


@pytest.mark.parametrize(("given", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_makes_no_sense_is_told(given: str, wanted: list[str]) -> None:
    [found] = World(given).objects.values()
    assert list(found.problems) == wanted
    assert found.gang.minimum >= 1


STANDING: dict[str, tuple[str, tuple[str | None, bool, str]]] = {
    "a Job that is done": (
        "{apiVersion: batch/v1, kind: Job, name: j, status: {conditions: [{type: Complete, status: 'True'}]}}",
        ("Completed", False, "Complete"),
    ),
    "a Job that has failed": (
        "{apiVersion: batch/v1, kind: Job, name: j, status: {conditions: [{type: Failed, status: 'True'}]}}",
        ("Failed", False, "Failed"),
    ),
    "a Job that is suspended": (
        "{apiVersion: batch/v1, kind: Job, name: j, spec: {suspend: true}}",
        (None, True, ""),
    ),
    "a Deployment without replicas": (
        """
apiVersion: apps/v1
kind: Deployment
name: d
spec: {replicas: 0}
status: {conditions: [{type: Available, status: 'True'}]}
""",
        (None, True, "Available"),
    ),
    "a workflow that is done": (
        "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, name: w, status: {phase: Succeeded}}",
        ("Completed", False, "Succeeded"),
    ),
    "a pipeline that has failed": (
        """
apiVersion: tekton.dev/v1
kind: PipelineRun
name: p
status: {conditions: [{type: Succeeded, status: 'False'}]}
""",
        ("Failed", False, ""),
    ),
    "a PyTorchJob that runs": (
        """
apiVersion: kubeflow.org/v1
kind: PyTorchJob
name: p
status: {conditions: [{type: Created, status: 'True'}, {type: Running, status: 'True'}]}
""",
        (None, False, "Running"),
    ),
}


@pytest.mark.parametrize(("given", "wanted"), STANDING.values(), ids=STANDING)
def test_how_an_object_stands_by_its_own_account(given: str, wanted: tuple[str | None, bool, str]) -> None:
    [found] = World(given).objects.values()
    assert (found.ended.outcome, found.ended.stopped, found.ended.word) == wanted
