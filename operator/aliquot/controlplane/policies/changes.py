"""Policies are made, changed and deleted; what no cluster would take, or no workload could keep, is refused."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import uuid4

import orjson
from pydantic import ValidationError

from aliquot.contracts.administrator_api.policies import PolicyPlace, PolicyType
from aliquot.contracts.administrator_api.policies.answers import PolicyShown
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables
from aliquot.controlplane.failures import in_words
from aliquot.controlplane.policies.documents import Document, effective, rule_fields
from aliquot.controlplane.policies.judging import check
from aliquot.controlplane.policies.queries import Scoped, Where, layer, of_type, shown, told_of, where
from aliquot.controlplane.policies.status import statuses
from aliquot.controlplane.refusals import BadRequest, NotFound
from aliquot.errors import UserError

_MOST_BYTES: Final = 262_144
"""Longest policy; what a cluster has of several may be longer, and an object of Kubernetes some 1.5 MB."""

Make = Callable[[Document], Document]


def change(
    permit: Permit, workloads: PolicyType, given: PolicyPlace, make: Make, *, validate_only: bool
) -> PolicyShown:
    """Let the policy of a scope say something else, and make it where there is none.

    Args:
        permit: of the caller.
        workloads: which it counts for.
        given: its scope, and how it is to be called.
        make: what it is to say, of what it says.
        validate_only: whether nothing is kept.

    Raises:
        NotFound: there is no such scope.
        Forbidden: it is out of the caller's reach.
        BadRequest: another scope has rules for the same field, or what counts somewhere could not be carried out.
    """
    scope = where(permit, given)
    permit.check(scope.place)
    rows = of_type(permit, workloads)
    own = rows.of(scope)
    document = make({} if own is None else own.document)
    size = len(orjson.dumps(document))
    if size > _MOST_BYTES:
        raise BadRequest(f"Bad request - policy: {size} bytes is not allowed: at most {_MOST_BYTES}, as JSON")
    draft = _draft(permit, workloads, scope, given.name, document)
    others = rows.without(own)
    _check_rules(draft, [*others.on_the_way(scope.place), *others.within(scope.place)])
    _check(workloads, others.and_(draft), scope.place)
    if validate_only:
        return shown(None, others.and_(draft).on_the_way(scope.place), None).model_copy(update={"policy": document})
    if own is None:
        permit.add(draft)
        permit.record("create", "policy", draft, after=told_of(draft))
        kept = draft
    else:
        before = told_of(own)
        own.name, own.document = given.name, document
        permit.touch(own)
        permit.record("update", "policy", own, before=before, after=told_of(own))
        kept = own
    permit.flush()
    return shown(kept, others.and_(kept).on_the_way(scope.place), statuses(permit, [kept])[kept.id])


def delete(permit: Permit, workloads: PolicyType, scope: Where) -> None:
    """Delete the policy of a scope.

    Raises:
        NotFound: it has none.
        Forbidden: it is out of the caller's reach.
        BadRequest: what counts in a scope below could not be carried out without it.
    """
    permit.check(scope.place)
    rows = of_type(permit, workloads)
    own = rows.of(scope)
    if own is None:
        raise NotFound(details=f"the {scope.scope} {scope.id} has no {workloads} policy of its own")
    _check(workloads, rows.without(own), scope.place)
    permit.record("delete", "policy", own, before=told_of(own))
    permit.remove(own)


def _draft(permit: Permit, workloads: PolicyType, scope: Where, name: str, document: Document) -> tables.Policy:
    return tables.Policy(
        id=str(uuid4()),
        type=workloads,
        scope=scope.scope,
        scope_id=scope.id,
        cluster_id=scope.place.cluster_id,
        department_id=scope.place.department_id,
        project_id=scope.place.project_id,
        name=name,
        document=document,
        revisions={},
        updated_by=permit.holder.name,
        **permit.origin(),
    )


def _check_rules(draft: tables.Policy, others: Sequence[tables.Policy]) -> None:
    """See that no other scope on the same way has rules for the same field.

    Raises:
        BadRequest: one has.
    """
    own = set(rule_fields(draft.document))
    for other in others:
        for field in rule_fields(other.document):
            if field in own:
                raise BadRequest(
                    f'Bad request - policy.rules.{field}: Field "{field}" already has rules in {other.scope}: '
                    f'"{other.scope_id}"'
                )


def _check(workloads: PolicyType, rows: Scoped, place: Place) -> None:
    """See that what counts in a place, and in each place below with a policy of its own, can be carried out.

    Raises:
        BadRequest: it cannot.
    """
    lower = [(row, Place(row.cluster_id, row.department_id, row.project_id)) for row in rows.within(place)]
    for row, where_ in [(None, place), *lower]:
        document = effective([layer(each) for each in rows.on_the_way(where_)])
        in_which = "" if row is None or where_ == place else f"; in {row.scope} {row.scope_id}, with what counts there"
        try:
            check(workloads, document)
        except UserError as error:
            raise BadRequest(f"Bad request - {error}{in_which}") from None
        except ValidationError as error:
            said, _ = in_words(error.errors())
            raise BadRequest(f"{said}{in_which}") from None
