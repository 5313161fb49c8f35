"""What the scheduler of a running operator knows: it hears of things in its own time, and in no particular order."""

import json
from typing import Any

from demo.platform import OperatorProcess


def state_of(operator: OperatorProcess, pool: str) -> dict[str, Any]:
    """The cluster document of a node pool, as `aliquot simulate` takes it.

    Raises:
        LookupError: the operator does not tell; what is waited for may look again.
    """
    code, text = operator.probe(f"debug/state?pool={pool}")
    if code != 200:
        raise LookupError(f"{operator.name} answers {code}: {text}")
    return json.loads(text)


def queues_of(operator: OperatorProcess, pool: str) -> dict[str, dict[str, Any]]:
    """The queues of a node pool, by name."""
    return {queue["name"]: queue for queue in state_of(operator, pool).get("queues", ())}


def tasks_of(operator: OperatorProcess, pool: str) -> set[str]:
    """Names of the pods that the scheduler knows there, also of those that others have bound."""
    jobs: list[dict[str, Any]] = state_of(operator, pool).get("jobs", [])
    return {task["name"] for job in jobs for task in job.get("tasks", ())}


def minimum_of(operator: OperatorProcess, pool: str, job: str) -> int:
    """How many pods a job needs at once."""
    [found] = [each for each in state_of(operator, pool)["jobs"] if each["name"] == job]
    return sum(pods.get("minMember", 1) for pods in found.get("group", {}).get("podSets", [{}]))
