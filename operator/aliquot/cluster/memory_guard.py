"""Pods that use more of a GPU's memory than they were given: counted, told, and stopped if that is wanted.

The agent of the node measures, and writes it on the pod (`names.GPU_OVERUSE_ANNOTATION`); the chart's policy keeps
others from writing it. Whoever is stopped is the pod that it is written on, never one that shares its GPU. It is to
blame for that, so the end counts as its own failure (`backoffLimit`), unless it had only used what it may while nobody
else needs it (`runai-gpu-limit`).
"""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import is_ours, only_lent, overuse_in_words, overuse_of, state_of

GuardPolicy = Literal["off", "report", "evict"]
_log = log.get(__name__)


class GuardMetrics:
    """What the guard counts.

    Args:
        registry: what `/metrics` shows.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.over = Gauge(
            "aliquot_gpu_memory_overuse_pods",
            "Pods that use more of a GPU's memory than they were given, as the agents of their nodes say.",
            registry=registry,
        )
        self.evicted = Counter(
            "aliquot_gpu_memory_overuse_evictions_total", "Pods that were stopped for that.", registry=registry
        )


class MemoryGuard:
    """Follows the mirror; `start` once it is filled.

    Args:
        mirror: knows the pods.
        clock: tells how long a pod has used too much.
        policy: what is done.
        grace_seconds: for so long it may.
        metrics: where it is counted.
        add: takes pods that are to be looked at, and in how many seconds.
        evict: takes a pod that is to be stopped, why in words, and the reason of its condition.
    """

    def __init__(
        self,
        mirror: Mirror,
        clock: Clock,
        policy: GuardPolicy,
        grace_seconds: float,
        metrics: GuardMetrics,
        add: Callable[[Task, Key, float], None],
        evict: Callable[[Pod, str, str], None],
    ) -> None:
        self._mirror = mirror
        self._clock = clock
        self._policy = policy
        self._grace = grace_seconds
        self._metrics = metrics
        self._add = add
        self._evict = evict
        self._over: set[str] = set()
        self._evicted: set[str] = set()

    def start(self) -> None:
        """Look at every pod that is there, then at every change."""
        self._metrics.over.set(0)
        if self._policy == "off":
            return
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        self._mirror.listeners.pod.append(self._pod_changed)

    def why(self, pod: Pod) -> str:
        """Of which GPUs the pod uses too much memory, as a sentence; empty: of none, or nobody is to know."""
        if self._policy == "off" or not self._guards(pod) or not (uses := overuse_of(pod)):
            return ""
        return overuse_in_words(uses)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        uid = pod.metadata.uid
        if new is None:
            self._evicted.discard(uid)
        if new is not None and self._guards(new) and overuse_of(new):
            if uid not in self._over:
                self._over.add(uid)
                self._metrics.over.set(len(self._over))
            if self._policy == "evict":
                self._add(Task.MEMORY_GUARD, key_of(new), 0)
        elif uid in self._over:
            self._over.discard(uid)
            self._metrics.over.set(len(self._over))

    async def look_at(self, key: Key) -> None:
        """Stop the pod if it has used too much for too long; if not yet, it is looked at again by then."""
        pod = self._mirror.pods.get(key)
        if pod is None or not self._guards(pod) or pod.metadata.deletion_timestamp is not None:
            return
        uses = overuse_of(pod)
        if not uses:
            return
        remaining = min(use.since for use in uses.values()) + self._grace - self._clock.now()
        if remaining > 0:
            self._add(Task.MEMORY_GUARD, key, min(remaining, self._grace))
            return
        why = f"stopped, as {overuse_in_words(uses)}"
        if pod.metadata.uid not in self._evicted:
            self._evicted.add(pod.metadata.uid)
            self._metrics.evicted.inc()
            _log.warning("a pod uses too much of a GPU's memory", pod=str(key), why=why)
        self._evict(pod, why, names.EVICTED_BY_ALIQUOT_REASON if only_lent(uses) else names.GPU_OVERUSE_REASON)

    @staticmethod
    def _guards(pod: Pod) -> bool:
        return is_ours(pod) and bool(pod.spec.node_name) and state_of(pod).uses_node
