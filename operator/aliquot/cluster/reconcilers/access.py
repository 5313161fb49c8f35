"""Access rules: their RoleBindings, kept as the rules say, and their statuses.

    rule, projects, departments, namespaces ─▶ core.tenancy.access ─▶ missing: POST; changed by hand: PUT; not wanted
                                                                      any more: DELETE; the rule's status: PATCH

A RoleBinding belongs to its rule by owner reference and goes with it, also while nobody is here. The operator may bind
only the four ClusterRoles of the chart (Kubernetes' verb `bind`), so that no rule can give what they do not have.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import msgspec

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.mirror.answered import Answered
from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import Listener, Mirror, identify, key_of
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.reconcilers.status_writes import patch_status
from aliquot.cluster.resources import ACCESS_RULES
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kinds.tenancy import AccessRule
from aliquot.contracts.kubernetes import Namespace, RoleBinding
from aliquot.core.tenancy import (
    Binding,
    Prefixes,
    access_plan,
    access_status,
    binding_manifest,
)
from aliquot.kube.client import ApiClient
from aliquot.kube.informer import filled
from aliquot.kube.informers import Informers
from aliquot.kube.problems import AlreadyExists, Forbidden, Invalid, NotFound
from aliquot.kube.resources import ROLE_BINDINGS
from aliquot.settings import Settings

_log = log.get(__name__)
_BINDING = msgspec.json.Decoder(RoleBinding)
_FILL_SECONDS: Final = 20.0
_SETTLE_SECONDS: Final = 0.5
"""Projects, namespaces and departments come and go together."""
_TAKEN_SECONDS: Final = 30.0
TAKEN: Final = "NameTaken"
REFUSED: Final = "Refused"

Problem = tuple[str, str]
ObjectT = TypeVar("ObjectT")


class AccessRules:
    """Access rules and their RoleBindings, for a term.

    Args:
        client: reads and writes.
        informers: makes the informers.
        mirror: projects, departments and namespaces.
        clock: the time given to statuses.
        add: takes work.
        settings: prefixes of names.
        configuration: whether RoleBindings are made here.

    Attributes:
        tasks: how the work is done.
        rules: all rules.
        listeners: told of each change of one of them, with it before and after.
    """

    def __init__(
        self,
        client: ApiClient,
        informers: Informers,
        mirror: Mirror,
        clock: Clock,
        add: Add,
        settings: Settings,
        configuration: Configuration,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._add = add
        self._configuration = configuration
        self._prefixes = Prefixes(settings.access.user_prefix, settings.access.group_prefix)
        self.listeners: list[Listener[AccessRule]] = []
        self.rules = Cache[AccessRule](identify, self._rule_changed)
        self._rules_heard = informers.of(ACCESS_RULES, Whole)
        self._rules_heard.add_handler(parsed_into(self.rules, AccessRule))
        ours = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY},{names.ACCESS_RULE_LABEL}"
        self._bindings_heard = informers.of(ROLE_BINDINGS, RoleBinding, label_selector=ours)
        self._bindings = Answered(self._bindings_heard)
        self._of_rules: dict[str, set[Key]] = {}
        self._bindings_heard.add_handler(self._binding_heard)
        listeners = mirror.listeners
        listeners.namespace.append(self._when_changed(_bond))
        listeners.project.append(self._when_changed(lambda project: project.spec.department))
        listeners.department.append(self._when_changed(lambda _: None))
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {Task.ACCESS_RULE: self.reconcile}

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watches, as tasks of the group; return when what can be read is known."""
        group.create_task(self._bindings_heard.run())
        await filled(self._bindings_heard, _FILL_SECONDS)
        group.create_task(self._rules_heard.run())
        await filled(self._rules_heard, _FILL_SECONDS)

    def look_at_everything(self) -> None:
        """Have every rule looked at."""
        for rule in self.rules:
            self._add(Task.ACCESS_RULE, key_of(rule))

    async def reconcile(self, key: Key) -> None:
        """Bring the RoleBindings of a rule to what it says, and its status to how that went.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        rule = self.rules.get(key)
        if rule is None or rule.metadata.deletion_timestamp is not None:
            return
        mirror = self._mirror
        is_ours = self._configuration.config.creates_role_bindings
        plan = access_plan(
            rule, mirror.projects, mirror.departments, self._namespaces_of, self._prefixes, is_ours=is_ours
        )
        problem = plan.problem
        for binding in plan.bindings:
            try:
                problem = await self._keep(binding, rule) or problem
            except (Forbidden, Invalid, NotFound) as refusal:
                said = f"RoleBinding {binding.name} in {binding.namespace} was refused: {refusal.message}"
                await self._write_status(rule, (REFUSED, said))
                raise
        wanted = {Key(binding.namespace, binding.name) for binding in plan.bindings}
        for place in sorted(self._of_rules.get(rule.metadata.uid, set()) - wanted) if plan.is_ours else ():
            await self._remove(place, rule)
        await self._write_status(rule, problem)

    def _namespaces_of(self, project: str) -> list[str]:
        held = self._mirror.namespaces_of(project)
        return [each.metadata.name for each in held if each.metadata.deletion_timestamp is None]

    async def _keep(self, binding: Binding, rule: AccessRule) -> Problem | None:
        """Make the RoleBinding or put it back; returns what stands in the way."""
        manifest = binding_manifest(binding, rule)
        found = self._bindings.get(binding.namespace, binding.name)
        if found is None:
            try:
                self._learn(await self._create(manifest, binding), rule)
                return None
            except AlreadyExists:
                answer = await self._client.get(ROLE_BINDINGS, binding.namespace, binding.name)
                found = _BINDING.decode(answer.body)
        if all(owner.uid != rule.metadata.uid for owner in found.metadata.owner_references):
            self._add(Task.ACCESS_RULE, key_of(rule), _TAKEN_SECONDS)
            where = f"RoleBinding {binding.name} in {binding.namespace}"
            return TAKEN, f"{where} is not the rule's: delete it, or give the rule another name."
        wanted = msgspec.convert(manifest, RoleBinding)
        if _gives(found) == _gives(wanted) and wanted.metadata.labels.items() <= found.metadata.labels.items():
            self._learn(found, rule)
            return None
        _log.info("put back what was changed", kind="RoleBinding", namespace=binding.namespace, name=binding.name)
        if found.role_ref != wanted.role_ref:  # which cannot change
            await self._remove(Key(binding.namespace, binding.name), rule)
            self._learn(await self._create(manifest, binding), rule)
            return None
        answer = await self._client.replace(
            ROLE_BINDINGS,
            binding.namespace,
            binding.name,
            binding_manifest(binding, rule, found.metadata.resource_version),
            field_manager=names.TENANCY_MANAGER,
        )
        self._learn(_BINDING.decode(answer.body), rule)
        return None

    async def _create(self, manifest: dict[str, object], binding: Binding) -> RoleBinding:
        answer = await self._client.create(
            ROLE_BINDINGS, manifest, namespace=binding.namespace, field_manager=names.TENANCY_MANAGER
        )
        return _BINDING.decode(answer.body)

    async def _remove(self, place: Key, rule: AccessRule) -> None:
        found = self._bindings.get(place.namespace, place.name)
        if found is not None and any(owner.uid == rule.metadata.uid for owner in found.metadata.owner_references):
            try:
                await self._client.delete(ROLE_BINDINGS, place.namespace, place.name, uid=found.metadata.uid)
            except NotFound:
                _log.debug("gone already", binding=str(place))
        self._of_rules.get(rule.metadata.uid, set()).discard(place)

    async def _write_status(self, rule: AccessRule, problem: Problem | None) -> None:
        after = access_status(rule, problem, self._clock.now())
        answer = await patch_status(self._client, ACCESS_RULES, rule.metadata, rule.status, after)
        if answer is not None:
            self.rules.put(AccessRule.model_validate(answer.json()))

    def _learn(self, binding: RoleBinding, rule: AccessRule) -> None:
        self._bindings.put(binding)
        self._of_rules.setdefault(rule.metadata.uid, set()).add(key_of(binding))

    def _rule_changed(self, old: AccessRule | None, new: AccessRule | None) -> None:
        if new is None:
            assert old is not None
            self._of_rules.pop(old.metadata.uid, None)
        elif old is None or old.spec != new.spec:
            self._add(Task.ACCESS_RULE, key_of(new))
        for listener in self.listeners:
            listener(old, new)

    def _when_changed(self, decisive: Callable[[ObjectT], object]) -> Callable[[ObjectT | None, ObjectT | None], None]:
        """A listener: scopes may reach further now, or less far, if an object came, went, or changed in this."""

        def changed(old: ObjectT | None, new: ObjectT | None) -> None:
            if old is None or new is None or decisive(old) != decisive(new):
                for rule in self.rules:
                    self._add(Task.ACCESS_RULE, key_of(rule), _SETTLE_SECONDS)

        return changed

    def _binding_heard(self, old: RoleBinding | None, new: RoleBinding | None) -> None:
        heard = new or old
        assert heard is not None
        for owner in heard.metadata.owner_references:
            if owner.kind == AccessRule.__name__:
                if new is not None:
                    self._of_rules.setdefault(owner.uid, set()).add(key_of(heard))
                if old is not None and (new is None or _gives(old) != _gives(new)):
                    self._add(Task.ACCESS_RULE, Key("", owner.name), _SETTLE_SECONDS)


def _gives(binding: RoleBinding) -> tuple[object, ...]:
    return binding.role_ref, binding.subjects


def _bond(namespace: Namespace) -> tuple[object, ...]:
    return namespace.metadata.labels.get(names.QUEUE_LABEL), namespace.metadata.deletion_timestamp
