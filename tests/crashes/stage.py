"""What a crash test plays on: an arena, and operators of its own that may be killed and cut off."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from aliquot_lab import Cluster, FaultProxy
from aliquot_lab.api import ApiError
from aliquot_lab.processes import eventually, lives
from demo import platform
from demo.platform import OperatorProcess
from tests.crashes import respawn
from tests.support.arena import PROJECTS, WORKLOADS, Arena, Found

LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{platform.NAMESPACE}/leases/aliquot-operator"
SHORT_LEASE: Final = {
    "ALIQUOT_LEADERSHIP__LEASE_SECONDS": "10",
    "ALIQUOT_LEADERSHIP__RENEW_DEADLINE_SECONDS": "7",
    "ALIQUOT_LEADERSHIP__RETRY_SECONDS": "0.5",
}
_ALWAYS: Final = {"ALIQUOT_WORKLOADS__RETRY_BASE_SECONDS": "0.2"}
_PATIENCE_SECONDS: Final = 180.0
_WATCHES: Final = 7
_STEP_SECONDS: Final = 180.0
_LONGEST_SECONDS: Final = 900.0


class Stage(Arena):
    """An arena with operators; made by the fixture `stage`, cleared by it."""

    def __init__(self, lab: Cluster, name: str) -> None:
        super().__init__(lab, name)
        self._operators: list[OperatorProcess] = []
        self.pool()

    def operator(
        self,
        name: str = "operator",
        *,
        proxy: FaultProxy | None = None,
        settings: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> OperatorProcess:
        """Start an operator.

        Args:
            name: of its own among those of the test.
            proxy: between it and the API server.
            settings: environment variables.
            wait: whether to wait until it is ready.
        """
        return self._start(name, proxy, settings or {}, wait=wait)

    def mortal_operator(self, proxy: FaultProxy, settings: Mapping[str, str] | None = None) -> "MortalOperator":
        """Start an operator behind a proxy that is started again whenever it is killed."""
        file = self.lab.directory / f"{self.name}.pid"
        program = (sys.executable, respawn.__file__)
        told = {**(settings or {}), respawn.PID_FILE: str(file)}
        process = self._start("mortal", proxy, told, wait=True, program=program)
        return MortalOperator(process, file)

    def _start(
        self,
        name: str,
        proxy: FaultProxy | None,
        settings: Mapping[str, str],
        *,
        wait: bool,
        program: tuple[str, ...] = platform.OPERATOR,
    ) -> OperatorProcess:
        started = platform.start_operator(
            self.lab,
            f"{self.name}-{name}",
            settings={**_ALWAYS, **settings},
            server=proxy.url if proxy else None,
            authority=proxy.authority if proxy else None,
            wait=False,
            program=program,
        )
        self._operators.append(started)
        if wait:
            started.wait_ready(_PATIENCE_SECONDS)
        return started

    def nodes(
        self, count: int, *, gpus: int = 8, labels: Mapping[str, str] | None = None, cpu: str = "64"
    ) -> list[str]:
        """Add hollow nodes to the pool, whether there is an operator that could hear of them or not."""
        return self._add_nodes(count, gpus=gpus, labels=labels, cpu=cpu)

    def until(self, condition: Callable[[], Found], what: str, seconds: float = _PATIENCE_SECONDS) -> Found:
        """Wait for a condition, as an arena does, and longer."""
        __tracebackhide__ = True
        return super().until(condition, what, seconds)

    def until_nothing(self, look: Callable[[], list[str]]) -> None:
        """Wait until nothing is left; for as long as it takes if less is left now and then, as a crash costs time."""
        left = ["the API server has not been asked"]
        since = time.monotonic()

        def nothing_or_stuck() -> bool:
            nonlocal left, since
            found = look()
            if found != left:
                left, since = found, time.monotonic()
            return not left or time.monotonic() - since > _STEP_SECONDS

        eventually(tried(nothing_or_stuck), seconds=_LONGEST_SECONDS, interval=0.2)
        assert not left, "\n".join(left) + self.last_words()

    def last_words(self) -> str:
        """Whether each operator runs, and the end of its log."""
        return "".join(
            f"\n{operator.name} runs as {operator.pid}: {operator.probe('readyz')}\n{operator.log()[-3000:]}"
            for operator in self._operators
        )

    def watched(self, proxy: FaultProxy) -> None:
        """Wait until the operator behind the proxy watches all that it reads, which is not yet so when it has read it.

        Four custom resources at least, pods, nodes and namespaces.
        """
        self.until(lambda: len(proxy.watches()) >= _WATCHES, "the operator to watch what it has read")

    def holder(self) -> str:
        """Who holds the lease; empty: nobody."""
        return self.get(LEASE).get("spec", {}).get("holderIdentity", "")

    def lease_is_over(self) -> bool:
        """Whether nobody has renewed the lease for as long as it lasts."""
        spec = self.get(LEASE)["spec"]
        renewed = datetime.fromisoformat(spec["renewTime"]).timestamp()
        return time.time() > renewed + spec["leaseDurationSeconds"]

    def clear(self) -> None:
        """End the operators, and remove everything that was made."""
        for operator in self._operators:
            operator.kill()
        self.delete(LEASE)
        namespaces = [f"runai-{made.rpartition('/')[2]}" for made in self._made if made.startswith(PROJECTS)]
        for namespace in namespaces:
            for path in (
                f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads",
                f"{WORKLOADS}/namespaces/{namespace}/distributedworkloads",
                f"{WORKLOADS}/namespaces/{namespace}/inferenceworkloads",
                f"/apis/run.ai/v1/namespaces/{namespace}/runaijobs",
                f"/api/v1/namespaces/{namespace}/pods?gracePeriodSeconds=0",
            ):
                self._delete_all(path)
        for namespace in namespaces:
            self.until(lambda namespace=namespace: not self.pods(namespace), f"the pods in {namespace} to go")
        super().clear()

    def _delete_all(self, path: str) -> None:
        try:
            self.lab.api.call("DELETE", path)
        except ApiError as problem:
            if problem.status != 404:
                raise


class MortalOperator:
    """An operator that rises again.

    Args:
        process: what starts it again.
        file: where its process id is.
    """

    def __init__(self, process: OperatorProcess, file: Path) -> None:
        self.process = process
        self._file = file

    def kill(self) -> None:
        """Kill it, and see that it is dead; it starts again. No more is done where it has just been killed."""
        pid = int(self._file.read_text())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not lives(pid), seconds=60, interval=0.001), f"process {pid} survived SIGKILL"

    @property
    def ended_by_itself(self) -> bool:
        """Whether it ever ended without being killed."""
        return respawn.BY_ITSELF in self.process.log()


def tried(condition: Callable[[], object]) -> Callable[[], bool]:
    """The condition, which does not hold as long as the API server cannot be asked."""

    def holds() -> bool:
        try:
            return bool(condition())
        except (ApiError, OSError):
            return False

    return holds
