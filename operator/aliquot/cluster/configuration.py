"""The cluster's RunaiConfig, followed while the process lives: in operator and webhook alike.

What it says wins over the settings; where it says nothing, or there is none, the settings count.
"""

from collections.abc import Callable
from typing import Final

from aliquot import names
from aliquot.cluster.defaults import defaults_of
from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import identify
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.resources import RUNAI_CONFIGS
from aliquot.contracts.kinds import RunaiConfig
from aliquot.core.configuration import NO_CONFIG, ClusterConfig, read_config
from aliquot.core.submission import Defaults
from aliquot.kube.informers import Informers
from aliquot.settings import Settings


class Configuration:
    """Knows what the cluster's RunaiConfig says.

    Args:
        informers: makes its informer.
        settings: what counts where it says nothing; in which namespace it is.

    Attributes:
        objects: all RunaiConfigs of the namespace, those too that do not count.
        informer: brings them, once somebody runs it.
        heard: told of every change of one of them, with it before and after.
        changed: told that something else is said than before.
    """

    def __init__(self, informers: Informers, settings: Settings) -> None:
        self._settings = settings
        self._place: Final = Key(settings.identity.namespace, names.CONFIG_NAME)
        self._config = NO_CONFIG
        self._defaults = defaults_of(settings, NO_CONFIG)
        self.heard: list[Callable[[RunaiConfig | None, RunaiConfig | None], None]] = []
        self.changed: list[Callable[[], None]] = []
        self.objects = Cache[RunaiConfig](identify, self._heard)
        self.informer = informers.of(RUNAI_CONFIGS, Whole, namespace=settings.identity.namespace)
        self.informer.add_handler(parsed_into(self.objects, RunaiConfig))

    @property
    def config(self) -> ClusterConfig:
        """What is said now."""
        return self._config

    @property
    def defaults(self) -> Defaults:
        """What pods get that do not say, now."""
        return self._defaults

    def _heard(self, old: RunaiConfig | None, new: RunaiConfig | None) -> None:
        held = self.objects.get(self._place)
        config = NO_CONFIG if held is None else read_config(held.spec).config
        if config != self._config:
            self._config, self._defaults = config, defaults_of(self._settings, config)
            for listener in self.changed:
                listener()
        for teller in self.heard:
            teller(old, new)
