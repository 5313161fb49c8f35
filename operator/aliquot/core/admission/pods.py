"""Pods of others that are ours to schedule: refused if no node can ever be found for them (cluster-api.md 5.7)."""

from aliquot.contracts.kubernetes import Pod
from aliquot.core.admission.examination import Examination, Refusal, Surroundings, homeless
from aliquot.core.intake import is_ours, never_placed, pod_problems


def examine_pod(pod: Pod, known: Surroundings) -> Examination:
    """Say what is wrong with a pod; nothing of a pod that another scheduler places."""
    if not is_ours(pod):
        return Examination()
    wrong = never_placed(pod)
    odd = tuple(problem for problem in pod_problems(pod) if problem not in wrong)
    return Examination(
        tuple(Refusal(_field(problem), problem) for problem in wrong), (*homeless(pod.metadata.namespace, known), *odd)
    )


def _field(problem: str) -> str:
    """The path that a sentence begins with; those about amounts of containers begin with none."""
    head = problem.partition(": ")[0]
    return "spec.containers" if " " in head else head
