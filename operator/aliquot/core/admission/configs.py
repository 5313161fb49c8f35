"""The cluster's RunaiConfig: refused for values that are wrong in any cluster (cluster-api.md 3.5)."""

from aliquot import names
from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.core.admission.examination import Examination, Refusal
from aliquot.core.configuration import NOT_IN_FORCE, read_config


def examine_config(config: RunaiConfig) -> Examination:
    """Say what is wrong with a RunaiConfig, and warn of what of it is not followed.

    Other clusters' have many members that concern nothing here: these are no mistakes.
    """
    if config.metadata.name != names.CONFIG_NAME:
        return Examination((), (NOT_IN_FORCE,))
    reading = read_config(config.spec)
    refusals = tuple(map(Refusal.of, reading.wrong))
    refused = {refusal.text for refusal in refusals}
    return Examination(refusals, tuple(said for said in reading.ignored if said not in refused))
