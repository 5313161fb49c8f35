"""From a policy of REST to the spec of a cluster's (control-plane-api.md 1.4.11; crd-contract.md, Rules). Pure.

Which parameter a member is, the tables of submissions say. What no custom resource can say never comes here: the models
of `contracts.administrator_api.policies` refuse it, but for what only one kind does not have.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from aliquot.contracts.administrator_api.policies import (
    DistributedPolicy,
    InferencePolicy,
    Policy,
    TrainingPolicy,
    WorkspacePolicy,
)
from aliquot.contracts.kinds.catalogue import Parameter, ValueType, of_kind
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.controlplane.policies.fields import flat_tables, listed_tables
from aliquot.controlplane.policies.gpu_rules import gpu_rules
from aliquot.controlplane.policies.needed import fillers, member_outside, missing, needed_rules
from aliquot.controlplane.policies.rule_values import rules_of
from aliquot.controlplane.submissions import items
from aliquot.controlplane.submissions.gpus import Parameters, decimal, gpus
from aliquot.controlplane.submissions.mapping import AFFINITY, KEYED, STRICTNESS, Listed, at, outside
from aliquot.core.submission.layers import DEFAULTS
from aliquot.errors import UserError

KINDS: Final[Mapping[type[Policy], str]] = {
    WorkspacePolicy: "InteractivePolicy",
    TrainingPolicy: "TrainingPolicy",
    DistributedPolicy: "DistributedPolicy",
    InferencePolicy: "InferencePolicy",
}
_LOCKED: Final = {"canEdit": False, "canRemove": False}
_NAMELESS: Final = "policy-"
"""Begins the labels of instances without a name, so that those of workloads are never taken for them."""


class _Half(NamedTuple):
    """Defaults or rules, and what they are called in errors."""

    of: object
    path: str

    def said(self, member: str) -> Any:
        return at(self.of, member)

    def field(self, member: str) -> str:
        return f"{self.path}.{outside(member)}"


def rendered(policy: Policy) -> Parameters:
    """Say what the custom resource of a policy is to say in its `spec`.

    Raises:
        UserError: the kind has no such parameter, or members contradict one another.
    """
    kind = KINDS[type(policy)]
    defaults, rules = _Half(policy.defaults, "policy.defaults"), _Half(policy.rules, "policy.rules")
    if isinstance(policy, DistributedPolicy):
        defaults = _Half(at(policy.defaults, "worker"), f"{defaults.path}.worker")
        rules = _Half(at(policy.rules, "worker"), f"{rules.path}.worker")
    return _Rendering(of_kind(kind), kind, defaults, rules).spec()


class _Rendering:
    def __init__(self, parameters: Mapping[str, Parameter], kind: str, defaults: _Half, rules: _Half) -> None:
        self._parameters = parameters
        self._kind = kind
        self._defaults = defaults
        self._rules = rules
        self._found: Parameters = {}

    def spec(self) -> Parameters:
        for prefix, table in flat_tables(self._kind):
            for member, parameter in table.items():
                self._flat(f"{prefix}{member}", parameter)
        self._affinity()
        self._gpus()
        self._flat("security.uid_gid_source", "runAsUser", lambda source: source == "custom")
        self._flat("security.supplemental_groups", "supplementalGroups", groups)
        self._flat("node_pools", "nodePools", " ".join)
        self._capabilities()
        for member, parameter in KEYED.items():
            self._keyed(member, parameter)
        for member, how in listed_tables():
            self._listed(member, how)
        return self._found

    def _flat(self, member: str, parameter: str, write: Callable[[Any], Any] | None = None) -> None:
        default, rules = self._defaults.said(member), self._rules.said(member)
        if default is None and rules is None:
            return
        said = (self._rules if default is None else self._defaults).field(member)
        value_type, put = self._target(parameter, said, default if default is not None else rules)
        writes = write or partial(_written, value_type)
        if default is not None:
            put({"value": writes(default)})
        if rules is not None and (made := rules_of(rules, value_type, self._rules.field(member), writes)):
            put({"rules": made})

    def _target(self, parameter: str, field: str, said: object) -> tuple[ValueType, Callable[[Parameters], None]]:
        """The type of a parameter, or of a member of a group, and what adds to it.

        Raises:
            UserError: the kind has none.
        """
        name, _, inner = parameter.partition(".")
        found = self._parameters.get(name)
        if found is None:
            value = said if isinstance(said, bool | int | float | str) else "a rule"
            raise UserError(field, value, f"left out: a {self._kind} of a cluster has no {name}")
        if not inner:
            assert found.value_type is not None, f"{name} is no single value"
            return found.value_type, lambda part: self._found.setdefault(name, {}).update(part)

        def put(part: Parameters) -> None:
            values = self._found.setdefault(name, {"values": {}})["values"]
            values.setdefault(inner, {}).update(part)

        return found.members[inner].value_type, put

    def _affinity(self) -> None:
        given = self._defaults.said("pod_affinity")
        if given is not None:
            self._found["podAffinity"] = {"value": True}
        for member, parameter in AFFINITY.items():
            self._flat(f"pod_affinity.{member}", parameter, lambda value: STRICTNESS.get(value, value))

    def _gpus(self) -> None:
        compute = self._defaults.said("compute")
        if compute is not None:
            for parameter, value in gpus(compute, self._defaults.field("compute")).items():
                self._found.setdefault(parameter, {}).update(value)
        for parameter, rules in gpu_rules(self._rules.said("compute"), self._rules.field("compute")).items():
            self._found.setdefault(parameter, {})["rules"] = rules

    def _capabilities(self) -> None:
        member = "security.capabilities"
        given, rules = self._defaults.said(member), self._rules.said(member)
        held: dict[str, Parameters] = items.capabilities(given)["items"] if given else {}
        found: Parameters = {}
        if at(rules, "can_edit") is False:
            found["rules"] = {"canAdd": False}
            held = {label: {**item, "rules": _LOCKED} for label, item in held.items()}
        if at(rules, "required"):
            found["rules"] = {**found.get("rules", {}), "required": True}
        if held:
            found["items"] = held
        if found:
            self._found["capabilities"] = found

    def _keyed(self, member: str, parameter: str) -> None:
        instances = self._defaults.said(f"{member}.instances")
        field = f"{self._defaults.field(member)}.instances"
        held: dict[str, Parameters] = items.keyed(field, instances)["items"] if instances else {}
        self._several(member, parameter, {label: item for label, item in held.items() if "deleted" not in item})

    def _listed(self, member: str, how: Listed) -> None:
        field, parameter = self._defaults.field(member), self._parameters[how.parameter]
        attributes, instances = self._defaults.said(f"{member}.attributes"), self._defaults.said(f"{member}.instances")
        common = items.value_of(attributes, how)
        held: Parameters = {}
        for number, each in enumerate(instances or ()):
            label, at_ = _label(each, how, number), f"{field}.instances.{number}"
            if label in held or label == DEFAULTS:
                raise UserError(f"{at_}.{how.key}", label, f"a name that no other instance has, and not {DEFAULTS}")
            value = {**common, **items.value_of(each, how)}
            for lacking in missing(parameter, value):
                raise UserError(f"{at_}.{member_outside(how, lacking.name)}", None, "needed in each instance")
            held[label] = {"value": value}
        item_rules = self._item_rules(member, how, parameter)
        if common:
            held[DEFAULTS] = {"value": {**fillers(parameter, common, item_rules, field, how), **common}}
        self._several(member, how.parameter, held, item_rules)

    def _item_rules(self, member: str, how: Listed, parameter: Parameter) -> Parameters:
        rules = self._rules.said(f"{member}.attributes")
        found: Parameters = {}
        for inner, target in how.members.items():
            said = at(rules, inner)
            if said is None:
                continue
            of_item = parameter.members[target]
            field = f"{self._rules.field(member)}.attributes.{outside(inner)}"
            if not of_item.rules:
                raise UserError(field, "a rule", f"left out: a {self._kind} of a cluster has no rules for it")
            if made := rules_of(said, of_item.value_type, field, lambda value: value):
                found[outside_name(of_item.rules)] = made
        return found

    def _several(self, member: str, parameter: str, held: Parameters, item_rules: Parameters | None = None) -> None:
        """Add items, rules for which there are, and rules for their members."""
        rules, found = self._rules.said(f"{member}.instances"), Parameters()
        locked = at(rules, "locked") or ()
        for number, name in enumerate(locked):
            if name not in held or name == DEFAULTS:
                field = f"{self._rules.field(member)}.instances.locked.{number}"
                raise UserError(field, name, "the name of an instance that the defaults have")
            held[name] = {**held[name], "rules": _LOCKED}
        if held:
            found["items"] = held
        if at(rules, "can_add") is False:
            found["rules"] = {"canAdd": False}
        if item_rules:
            found["itemRules"] = {**needed_rules(self._parameters[parameter].item_rules), **item_rules}
        if found:
            self._found[parameter] = found


def groups(written: str) -> str:
    """Numbers of groups as parameters have them."""
    return written.replace(",", ";").replace(" ", "")


def _written(value_type: ValueType, value: Any) -> Any:
    return decimal(value) if value_type is ValueType.DECIMAL else value


def _label(instance: object, how: Listed, number: int) -> str:
    return str(at(instance, how.key) or f"{_NAMELESS}{number}")
