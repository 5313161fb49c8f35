"""Two tenants with three clusters each, all at once, over two instances of one database: everybody has their own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any, Final

from aliquot.contracts.cluster_sync import Desired, Gone
from aliquot.contracts.cluster_workloads import ReportedWorkload
from tests.controlplane.cluster import Cluster, cluster_of, workload
from tests.controlplane.plane import Caller, Plane, Tenant

PROJECTS: Final = "/api/v1/org-unit/projects"
WORKLOADS: Final = "/api/v1/workloads"
NAMES: Final = ("team-a", "team-b", "team-c")
IDS: Final = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(6))
"""Of workloads: the same in every cluster, which is what a copied one would have."""
_CHANGES: Final = 30
_REPORTS: Final = 30
_WAIT_SECONDS: Final = 2


@dataclass
class Speaker:
    """A cluster that waits for what it is to have on one connection, and tells what it has on another.

    Attributes:
        cluster: how it speaks.
        chance: what it does next.
        has: its workloads, by id.
        desired: what it is to have, as it knows.
    """

    cluster: Cluster
    chance: Random
    has: dict[str, ReportedWorkload] = field(default_factory=dict[str, ReportedWorkload])
    desired: Desired | None = None

    def listen(self, written: Event) -> None:
        """Ask until nothing changes any more."""
        known = ""
        while True:
            last = written.is_set()
            answer = self.cluster.ask(known, 0 if last else _WAIT_SECONDS)
            if answer.status_code == 200:
                self.desired, known = Desired.model_validate_json(answer.content), answer.headers["ETag"]
            else:
                assert answer.status_code == 304, answer.text
                if last:
                    return

    def tell(self) -> None:
        """Workloads come, change and go; now and then it begins anew, and tells all that is left."""
        for _ in range(_REPORTS):
            uid = self.chance.choice(IDS)
            if self.chance.random() < 0.2:
                self.cluster.begin_anew()
                self.has.pop(uid, None)
                self.cluster.report(*self.has.values(), complete=("workload",))
            elif uid in self.has and self.chance.random() < 0.3:
                del self.has[uid]
                self.cluster.report(gone=(Gone(kind="workload", name=uid),))
            else:
                self.has[uid] = workload(uid, phase=self.chance.choice(("Pending", "Running", "Failed")))
                self.cluster.report(self.has[uid])


def _administers(callers: tuple[Caller, Caller], clusters: list[str], chance: Random) -> None:
    """Projects come, get quotas and go, in all clusters of a tenant, now over one instance and now over the other."""
    made: dict[tuple[str, str], str] = {}
    for _ in range(_CHANGES):
        at = chance.choice(clusters), chance.choice(NAMES)
        caller, deserved = chance.choice(callers), chance.randrange(9)
        amounts = [{"nodePool": None, "gpu": {"deserved": deserved}}]
        if at not in made:
            body = {"name": at[1], "clusterId": at[0], "resources": amounts}
            made[at] = caller.done("POST", PROJECTS, body)["id"]
        elif chance.random() < 0.25:
            caller.done("DELETE", f"{PROJECTS}/{made.pop(at)}")
        else:
            caller.done("PATCH", f"{PROJECTS}/{made[at]}/resources", amounts)


def _quotas_shown(tenant: Tenant, cluster: str) -> dict[str, float]:
    found: list[dict[str, Any]] = tenant.admin.done("GET", PROJECTS, filterBy=f"clusterId=={cluster}")["projects"]
    return {each["name"]: each["resources"][0]["gpu"]["deserved"] for each in found}


def _quotas_desired(speaker: Speaker) -> dict[str, float]:
    assert speaker.desired is not None
    return {each.name: each.queues[0].gpu.deserved for each in speaker.desired.projects}


def _speakers(tenant: Tenant, planes: tuple[Plane, Plane], seed: int) -> Iterator[Speaker]:
    for number in range(3):
        yield Speaker(cluster_of(tenant).at(planes[number % 2]), Random(seed * 10 + number))


def test_two_tenants_and_their_clusters_never_get_what_is_anothers(planes: tuple[Plane, Plane]) -> None:
    tenants = (planes[0].tenant(), planes[1].tenant())
    speakers = {tenant.id: list(_speakers(tenant, planes, seed)) for seed, tenant in enumerate(tenants)}
    everybody = [each for some in speakers.values() for each in some]
    written = Event()
    with ThreadPoolExecutor(2 * len(everybody) + len(tenants)) as pool:
        listening = [pool.submit(each.listen, written) for each in everybody]
        telling = [pool.submit(each.tell) for each in everybody]
        try:
            administering = [
                pool.submit(
                    _administers,
                    (Caller(planes[0].http, tenant.host, tenant.admin.token), tenant.admin),
                    [each.cluster.uuid for each in speakers[tenant.id]],
                    Random(seed),
                )
                for seed, tenant in enumerate(tenants)
            ]
            for each in (*administering, *telling):
                each.result()
        finally:
            written.set()
        for each in listening:
            each.result()
    for tenant in tenants:
        ours = speakers[tenant.id]
        for speaker in ours:
            assert _quotas_desired(speaker) == _quotas_shown(tenant, speaker.cluster.uuid)
        shown = tenant.admin.done("GET", WORKLOADS, limit=500)["workloads"]
        found = {(each["clusterId"], each["id"]): each["phase"] for each in shown}
        assert found
        assert found == {(each.cluster.uuid, uid): one.phase for each in ours for uid, one in each.has.items()}
