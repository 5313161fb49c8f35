"""What the kubelet says of devices, over its real protocol; and what is believed of it."""

import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from aliquot.agent.pod_resources import Assignment, Listing, PodResources, PodResourcesError
from aliquot.agent.pod_resources import podresources_pb2 as api
from tests.kube.eventually import eventually

GPU = "nvidia.com/gpu"
HELD = Assignment("team", "a", "main", GPU, ("GPU-a",))


class Kubelet:
    """Answers `List` on a socket."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answer = api.ListPodResourcesResponse()
        self.server: grpc.Server | None = None

    def start(self) -> None:
        def answer(_: api.ListPodResourcesRequest, __: grpc.ServicerContext) -> api.ListPodResourcesResponse:
            return self.answer

        method = grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=api.ListPodResourcesRequest.FromString,
            response_serializer=api.ListPodResourcesResponse.SerializeToString,
        )
        self.server = grpc.server(ThreadPoolExecutor(1))
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("v1.PodResourcesLister", {"List": method}),)
        )
        self.server.add_insecure_port(f"unix:{self.socket}")
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop(None).wait()
            self.server = None


@pytest.fixture
def kubelet() -> Generator[Kubelet]:
    with tempfile.TemporaryDirectory() as folder:  # paths of sockets have at most 107 bytes
        made = Kubelet(Path(folder) / "kubelet.sock")
        yield made
        made.stop()


def test_all_entries_of_a_resource_are_kept(kubelet: Kubelet) -> None:
    def devices(resource: str, *ids: str) -> api.ContainerDevices:
        return api.ContainerDevices(resource_name=resource, device_ids=ids)

    main = api.ContainerResources(
        name="main", devices=[devices(GPU, "GPU-b"), devices(GPU, "GPU-a"), devices("nvidia.com/mig-1g.10gb", "MIG-1")]
    )
    side = api.ContainerResources(name="side", devices=[devices(GPU, "GPU-c")])
    kubelet.answer = api.ListPodResourcesResponse(
        pod_resources=[
            api.PodResources(namespace="team", name="a", containers=[side, main]),
            api.PodResources(namespace="team", name="none", containers=[api.ContainerResources(name="main")]),
        ]
    )
    kubelet.start()
    assert PodResources(kubelet.socket, 60).list() == (
        Assignment("team", "a", "main", GPU, ("GPU-a", "GPU-b")),
        Assignment("team", "a", "main", "nvidia.com/mig-1g.10gb", ("MIG-1",)),
        Assignment("team", "a", "side", GPU, ("GPU-c",)),
    )


async def test_without_a_kubelet_it_says_so_and_a_new_one_is_found(kubelet: Kubelet) -> None:
    asked = PodResources(kubelet.socket, 60)
    with pytest.raises(PodResourcesError, match="the kubelet does not say who holds which devices"):
        asked.list()
    kubelet.start()

    def answered() -> bool:
        with suppress(PodResourcesError):
            return asked.list() == ()
        return False

    await eventually(answered)
    asked.close()


class TestListing:
    def test_an_answer_counts_at_once(self) -> None:
        listing = Listing().heard((HELD,), 0)
        assert listing == Listing((HELD,), answering=True)
        other = Assignment("team", "b", "main", GPU, ("GPU-a",))
        assert listing.heard((other,), 1).assignments == (other,)

    def test_a_kubelet_that_has_just_started_does_not_free_devices(self) -> None:
        listing = Listing().heard((HELD,), 0).heard((), 1)
        assert (listing.assignments, listing.answering) == ((HELD,), True)
        assert listing.heard((), 10).assignments == (HELD,)
        assert listing.heard((), 11).assignments == ()
        assert listing.heard((HELD,), 5).doubted_since is None

    def test_a_kubelet_that_is_away_frees_nothing_for_minutes(self) -> None:
        listing = Listing().heard((HELD,), 0).heard(None, 1)
        assert (listing.assignments, listing.answering) == ((HELD,), False)
        assert listing.heard(None, 300).assignments == (HELD,)
        assert listing.heard(None, 301).assignments == ()

    def test_nothing_is_held_where_nothing_ever_was(self) -> None:
        assert Listing().heard((), 0) == Listing((), answering=True)
        assert Listing().heard(None, 0) == Listing((), answering=False)
