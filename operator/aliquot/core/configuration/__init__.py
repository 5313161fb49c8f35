"""The cluster's RunaiConfig: `read_config` says what of it is followed, `config_conditions` what is not."""

from aliquot.core.configuration.config import NO_CONFIG, ClusterConfig, Reading
from aliquot.core.configuration.reading import read_config
from aliquot.core.configuration.status import NOT_IN_FORCE, config_conditions, is_told

__all__ = ["NOT_IN_FORCE", "NO_CONFIG", "ClusterConfig", "Reading", "config_conditions", "is_told", "read_config"]
