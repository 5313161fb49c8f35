"""RunaiConfigs: a status that says whether each is in force, and what of it is not followed."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import key_of
from aliquot.cluster.resources import RUNAI_CONFIGS
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kinds import RunaiConfig
from aliquot.contracts.kinds.conditions import Condition
from aliquot.core.configuration import config_conditions, is_told, read_config
from aliquot.kube.client import ApiClient
from aliquot.kube.informer import filled
from aliquot.kube.problems import NotFound

_log = log.get(__name__)


class Configs:
    """RunaiConfigs and their statuses, for a term.

    Args:
        client: writes.
        configuration: knows them.
        clock: the time given to conditions that change.
        add: takes work.
        besides: what else the one that is followed says of the cluster.

    Attributes:
        tasks: how the work is done.
    """

    def __init__(
        self,
        client: ApiClient,
        configuration: Configuration,
        clock: Clock,
        add: Add,
        besides: Callable[[], Sequence[Condition]],
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._clock = clock
        self._add = add
        self._besides = besides
        configuration.heard.append(self._heard)
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {Task.CONFIG_STATUS: self.write}

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watch, as a task of the group; return when it is known what they say, or that nobody may read it.

        However long it takes: a namespace that is made against their word cannot be unmade.
        """
        informer = self._configuration.informer
        group.create_task(informer.run())
        if not await filled(informer, math.inf):
            _log.warning("may not be read: the settings count alone", resource=informer.resource.full_name)

    def look_at_everything(self) -> None:
        """Have every one looked at."""
        for config in self._configuration.objects:
            self._add(Task.CONFIG_STATUS, key_of(config))

    async def write(self, key: Key) -> None:
        """Write the status of a RunaiConfig if it differs; what others wrote into it stays.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        config = self._configuration.objects.get(key)
        if config is None:
            return
        conditions = config_conditions(config, read_config(config.spec), self._clock.now(), self._besides())
        if is_told(conditions, config.status):
            return
        told = [each.model_dump(mode="json", exclude_none=True) for each in conditions]
        patch = {"metadata": {"uid": config.metadata.uid}, "status": {"conditions": told}}
        try:
            answer = await self._client.merge_patch(
                RUNAI_CONFIGS, key.namespace, key.name, patch, subresource="status", field_manager=names.STATUS_MANAGER
            )
        except NotFound:  # the watch will tell
            return
        self._configuration.objects.put(RunaiConfig.model_validate(answer.json()))

    def _heard(self, _old: RunaiConfig | None, new: RunaiConfig | None) -> None:
        if new is not None:
            self._add(Task.CONFIG_STATUS, key_of(new))
