"""Which pods of workloads that are not ours are scheduled together: a table of kinds, and what follows from it.

    text ─▶ Table          object of a kind in it ─▶ OwnerObject        pod + OwnerObjects ─▶ Seat ─▶ Job, Task

Nothing here raises, whatever an object says: what makes no sense is told as a sentence in `problems`. The operator's
`cluster.foreign` calls.
"""

from aliquot.core.intake.group_table.gangs import Gang
from aliquot.core.intake.group_table.owners import (
    Chain,
    Ended,
    OwnerKey,
    OwnerObject,
    chain_of,
    controller_of,
    group_of,
    keys_named_by,
    owner_object,
    pod_object,
)
from aliquot.core.intake.group_table.reading import read_kinds
from aliquot.core.intake.group_table.seats import PROJECT_LABELS, Seat, facts_in, lone_seat, priority_class_of, seat_of
from aliquot.core.intake.group_table.table import CORE_POD, Table, builtin_table, table_of
from aliquot.core.intake.group_table.values import ANY, Needs, needs_of

__all__ = [
    "ANY",
    "CORE_POD",
    "PROJECT_LABELS",
    "Chain",
    "Ended",
    "Gang",
    "Needs",
    "OwnerKey",
    "OwnerObject",
    "Seat",
    "Table",
    "builtin_table",
    "chain_of",
    "controller_of",
    "facts_in",
    "group_of",
    "keys_named_by",
    "lone_seat",
    "needs_of",
    "owner_object",
    "pod_object",
    "priority_class_of",
    "read_kinds",
    "seat_of",
    "table_of",
]
