"""Credentials that a real API server checks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from yarl import URL

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.config import Server, find_server, from_kubeconfig, in_cluster
from aliquot.kube.metrics import RequestMetrics
from aliquot.kube.problems import Unauthorized
from aliquot.kube.resources import SERVICE_ACCOUNTS, Resource
from aliquot.kube.transport import Transport
from aliquot_lab import Cluster

pytestmark = pytest.mark.cluster

REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[ApiClient]:
    transport = Transport(server, SystemClock(), RequestMetrics(CollectorRegistry()), user_agent="aliquot-test/1")
    async with ApiClient(transport) as client:
        yield client


async def who_am_i(client: ApiClient) -> str:
    review = {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind}
    answer = cast("dict[str, Any]", (await client.create(REVIEWS, review)).json())
    return str(answer["status"]["userInfo"]["username"])


async def token_of(client: ApiClient, namespace: str, account: str) -> str:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = await client.create(SERVICE_ACCOUNTS, request, namespace=namespace, name=account, subresource="token")
    return str(cast("dict[str, Any]", answer.json())["status"]["token"])


async def test_a_client_certificate_is_known(lab: Cluster) -> None:
    server = await find_server({"KUBECONFIG": str(lab.kubeconfig)}, SystemClock())
    async with connected(server) as client:
        assert await who_am_i(client)


async def test_a_pod_is_known_by_its_service_account(
    lab: Cluster, lab_client: ApiClient, lab_namespace: str, tmp_path: Path
) -> None:
    if lab.access.authority is None:
        pytest.skip("this cluster's certificate is signed by a public authority")
    (tmp_path / "ca.crt").write_bytes(lab.access.authority)
    (tmp_path / "token").write_text(await token_of(lab_client, lab_namespace, "default"))
    url = URL(lab.server)
    environment = {"KUBERNETES_SERVICE_HOST": str(url.host), "KUBERNETES_SERVICE_PORT": str(url.port)}
    async with connected(await in_cluster(environment, SystemClock(), directory=tmp_path)) as client:
        assert await who_am_i(client) == f"system:serviceaccount:{lab_namespace}:default"


async def test_a_token_that_was_replaced_is_used_from_the_first_refusal_on(
    lab: Cluster, lab_client: ApiClient, lab_namespace: str, tmp_path: Path
) -> None:
    await lab_client.create(
        SERVICE_ACCOUNTS,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "other"}},
        namespace=lab_namespace,
    )
    token = tmp_path / "token"
    token.write_text("this is no token")
    cluster: dict[str, object] = {"server": lab.server}
    if lab.access.authority is not None:
        (tmp_path / "ca.crt").write_bytes(lab.access.authority)
        cluster["certificate-authority"] = str(tmp_path / "ca.crt")
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"tokenFile": str(token)}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_bytes(msgspec.json.encode(config))
    async with connected(await from_kubeconfig(str(tmp_path / "config"), SystemClock())) as client:
        with pytest.raises(Unauthorized):
            await who_am_i(client)
        token.write_text(await token_of(lab_client, lab_namespace, "other") + "\n")
        assert await who_am_i(client) == f"system:serviceaccount:{lab_namespace}:other"
