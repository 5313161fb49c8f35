"""The body of every error (control-plane-api.md 1.2), and what policies add to it."""

from aliquot.contracts.administrator_api.shapes import Answer


class Problem(Answer):
    """Why a request was not carried out."""

    code: int
    """The status of the answer."""
    message: str
    """What is wrong: which field, its value, and what is allowed."""
    details: str | None = None
    """More about it."""


class ComplianceIssue(Answer):
    """What of a workload a policy does not allow."""

    field: str
    """Path of it, in the spec that was submitted."""
    details: str
    """What its value must be."""


class ComplianceProblem(Problem):
    """Why a workload was not submitted."""

    compliance_issues: list[ComplianceIssue] | None = None
    """All that the policy does not allow, where that is why."""
