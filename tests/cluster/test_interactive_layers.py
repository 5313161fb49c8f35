"""Templates and policies of interactive workloads, on a real API server."""

import pytest

from tests.support.arena import WORKLOADS, Arena

pytestmark = pytest.mark.cluster
INTERACTIVE = "InteractiveWorkload"


def test_s15_a_workload_takes_from_its_template(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    template = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": INTERACTIVE,
        "metadata": {"name": "defaults"},
        "spec": {"usage": "Template", "jupyter": {"value": True}, "image": {"value": "jupyter/scipy-notebook"}},
    }
    arena.make(arena.path(namespace, kind=INTERACTIVE), template)
    arena.submit(namespace, "mine", job_name=None, namePrefix="jupyter", image=None, base="defaults", kind=INTERACTIVE)
    status = arena.until_phase(namespace, "mine", "Running", kind=INTERACTIVE)
    assert (status["jobName"], status["creationStatus"]) == ("jupyter-0", "Submitted")
    pod = arena.only_pod(namespace, "mine")
    [container] = pod["spec"]["containers"]
    assert container["image"] == "jupyter/scipy-notebook"
    assert container["args"][0] == "start-notebook.py"


def test_s22_a_policy_of_interactive_workloads_is_kept(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    policy = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "InteractivePolicy",
        "metadata": {"name": "interactive-policy1"},
        "spec": {"gpu": {"rules": {"required": True, "min": "1", "max": "4"}, "value": "1"}},
    }
    policies = f"{WORKLOADS}/namespaces/{namespace}/interactivepolicies"
    arena.make(policies, policy)
    arena.until(lambda: arena.get(f"{policies}/interactive-policy1").get("status"), "the operator to know the policy")
    arena.submit(namespace, "five", gpu="5", kind=INTERACTIVE)
    status = arena.until_reason(namespace, "five", "InvalidSpec", kind=INTERACTIVE)
    assert "gpu: must be no greater than 4" in status["phaseMessage"]
    arena.submit(namespace, "training", gpu="5")
    arena.submit(namespace, "default", gpu=None, kind=INTERACTIVE)
    assert arena.until_phase(namespace, "default", "Running", kind=INTERACTIVE)["totalAllocatedGPU"] == "1"
    arena.until_phase(namespace, "training", "Running")
