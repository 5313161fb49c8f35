"""Which parameters of a kind are members of policies, by the tables of submissions. Pure."""

from collections.abc import Sequence

from aliquot.controlplane.submissions.mapping import (
    AUTOSCALING,
    COMPUTE,
    CORES,
    DISTRIBUTED,
    EXTENDED_RESOURCES,
    LISTS,
    POD,
    SECURITY,
    SINGLE,
    STORAGE,
    TRAINING,
    USER,
    WHOLE,
    Listed,
    Table,
)


def flat_tables(kind: str) -> Sequence[tuple[str, Table]]:
    """The members that are a parameter by themselves, and what is before their names."""
    of_kind_: Sequence[tuple[str, Table]]
    match kind:
        case "DistributedPolicy":
            of_kind_ = (("", DISTRIBUTED), ("", SINGLE), ("", WHOLE))
        case "InferencePolicy":
            of_kind_ = (("autoscaling.", AUTOSCALING),)
        case _:
            of_kind_ = (("", TRAINING), ("", SINGLE), ("", WHOLE))
    return (
        *of_kind_,
        ("", POD),
        ("compute.", COMPUTE),
        ("compute.", CORES),
        ("security.", SECURITY),
        ("security.", USER),
    )


def listed_tables() -> Sequence[tuple[str, Listed]]:
    """The members that there are several of."""
    storage = [(f"storage.{member}", how) for member, how in STORAGE.items()]
    return [*LISTS.items(), ("compute.extended_resources", EXTENDED_RESOURCES), *storage]
