"""The kinds of work, and the lane each goes in: what is written first when much is to be written (design.md 5).

A status write costs the API server more than creating and binding a pod, so statuses wait until nothing that gives
somebody a GPU is left to do.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from aliquot.cluster.mirror.cache import Key


class Lane(IntEnum):
    """Lower goes first."""

    GRANT = 0
    CREATE = 1
    STATUS = 2


class Task(StrEnum):
    """What is to be done with the object that the key names."""

    GRANT = "grant"
    EVICT = "evict"
    SHARED_GPU = "shared-gpu"
    MEMORY_GUARD = "memory-guard"
    NOMINATE = "nominate"
    CONFIRM = "confirm"
    WORKLOAD = "workload"
    WORKLOAD_STATUS = "workload-status"
    LEFT_BEHIND = "left-behind"
    POD_CONDITIONS = "pod-conditions"
    PROJECT = "project"
    PROJECT_STATUS = "project-status"
    DEPARTMENT_STATUS = "department-status"
    NODE_POOL_STATUS = "node-pool-status"
    POLICY_STATUS = "policy-status"
    CONFIG_STATUS = "config-status"
    ACCESS_RULE = "access-rule"
    RUNAI_JOB = "runai-job"
    OWNER = "owner"
    REPORT = "report"


class Item(NamedTuple):
    """An entry of the work queue: the same item is never in it twice, and never worked on by two."""

    task: Task
    key: Key

    def __str__(self) -> str:
        """For logs."""
        return f"{self.task} {self.key}"


LANES = {
    Task.GRANT: Lane.GRANT,
    Task.EVICT: Lane.GRANT,
    Task.SHARED_GPU: Lane.GRANT,
    Task.MEMORY_GUARD: Lane.GRANT,
    Task.CONFIRM: Lane.CREATE,
    Task.WORKLOAD: Lane.CREATE,
    Task.LEFT_BEHIND: Lane.CREATE,
    Task.PROJECT: Lane.CREATE,
    Task.ACCESS_RULE: Lane.CREATE,
    Task.RUNAI_JOB: Lane.CREATE,
    Task.POD_CONDITIONS: Lane.STATUS,
    Task.NOMINATE: Lane.STATUS,
    Task.WORKLOAD_STATUS: Lane.STATUS,
    Task.PROJECT_STATUS: Lane.STATUS,
    Task.DEPARTMENT_STATUS: Lane.STATUS,
    Task.NODE_POOL_STATUS: Lane.STATUS,
    Task.POLICY_STATUS: Lane.STATUS,
    Task.CONFIG_STATUS: Lane.STATUS,
    Task.OWNER: Lane.CREATE,
    Task.REPORT: Lane.STATUS,
}
