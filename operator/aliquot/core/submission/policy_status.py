"""Whether a policy is in force, for its status."""

from collections.abc import Iterable
from typing import Final

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.policies import Policy, PolicyStatus
from aliquot.core.conditions import condition, timed
from aliquot.core.submission.inheritance import policy_in_force
from aliquot.core.submission.policy import policy_problems
from aliquot.errors import UserError

READY: Final = "Ready"
_MOST_CHARACTERS: Final = 4096


def policy_problems_of(policy: Policy) -> tuple[UserError, ...]:
    """Everything in a policy that no workload could ever keep, sorted by field."""
    return policy_problems(of_kind(type(policy).__name__), policy.spec)


def policy_status(policy: Policy, siblings: Iterable[Policy], now: float) -> PolicyStatus:
    """Say whether a policy is in force.

    Args:
        policy: which.
        siblings: all policies of its kind in its namespace, itself too.
        now: Unix seconds, for a condition that changes.
    """
    in_force = policy_in_force(siblings)
    problems = policy_problems_of(policy)
    if in_force is not None and in_force.metadata.uid != policy.metadata.uid:
        told = f"the policy {in_force.metadata.name} of this namespace is older and counts"
        ready = condition(READY, holds=False, reason="NotInForce", message=told)
    elif problems:
        told = "; ".join(map(str, problems))[:_MOST_CHARACTERS]
        ready = condition(READY, holds=False, reason="Unfulfillable", message=told)
    else:
        ready = condition(READY, holds=True, reason="InForce", message="holds for what is submitted from now on")
    return PolicyStatus(conditions=timed((ready,), policy.status.conditions, now))
