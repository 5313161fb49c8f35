"""Workloads that are submitted keep the policy that counts in their project."""

from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.administrator_api.submissions import PodSpec
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.compliance import issues
from aliquot.controlplane.policies.documents import effective
from aliquot.controlplane.policies.judging import spec_of
from aliquot.controlplane.policies.queries import layer, of_type
from aliquot.controlplane.refusals import NotCompliant


def check_complies(
    permit: Permit, workloads: PolicyType, submission: tables.Submission, spec: PodSpec, master: PodSpec | None
) -> None:
    """See that a workload keeps the policy that counts in its project.

    Args:
        permit: of whoever submits it.
        workloads: which it is.
        submission: it.
        spec: what was submitted, to name its fields.
        master: the same of its master.

    Raises:
        NotCompliant: it does not; all at once.
    """
    place = Place(submission.cluster_id, submission.department_id, submission.project_id)
    way = of_type(permit, workloads).on_the_way(place)
    if not way:
        return
    assert submission.manifest is not None, "it is not made yet"
    manifest = {name: part for name in ("spec", "masterSpec") if (part := submission.manifest.get(name)) is not None}
    policy = spec_of(workloads, effective([layer(row) for row in way]))
    if found := issues(submission.kind, manifest, policy, spec, master):
        raise NotCompliant(found)
