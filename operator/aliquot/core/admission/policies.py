"""Policies: refused if no workload could ever keep them."""

from aliquot.contracts.kinds.policies import Policy
from aliquot.core.admission.examination import Examination, Refusal
from aliquot.core.submission import policy_problems_of


def examine_policy(policy: Policy) -> Examination:
    """Say what is wrong with a policy."""
    return Examination(tuple(map(Refusal.of, policy_problems_of(policy))))
