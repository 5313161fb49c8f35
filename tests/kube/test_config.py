"""Where the API server is found, and what is said when it is not."""

from pathlib import Path

import msgspec
import pytest

from aliquot.clock import SystemClock
from aliquot.kube.config import ConfigError, find_server, from_kubeconfig, in_cluster

Json = dict[str, object]
CLOCK = SystemClock()


def kubeconfig(file: Path, server: str = "http://127.0.0.1:1", user: Json | None = None, **more: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("blue", "red")],
        "current-context": "blue",
        **more,
    }
    file.write_bytes(msgspec.json.encode(config))
    return file


async def test_the_file_given_comes_before_kubeconfig_before_the_pod_before_home(tmp_path: Path) -> None:
    given = kubeconfig(tmp_path / "given", "http://given")
    named = kubeconfig(tmp_path / "named", "http://named")
    kubeconfig(tmp_path / ".kube" / "config", "http://home")
    home = {"HOME": str(tmp_path)}
    named_too = {**home, "KUBECONFIG": str(named), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert (await find_server(named_too, CLOCK, kubeconfig=given)).url == "http://given"
    assert (await find_server(named_too, CLOCK)).url == "http://named"
    assert (await find_server(home, CLOCK)).url == "http://home"
    with pytest.raises(ConfigError, match="in-cluster configuration"):
        await find_server({**home, "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, CLOCK)


async def test_nowhere_to_be_found_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"KUBECONFIG is not set, .* KUBERNETES_SERVICE_HOST.*/\.kube/config is m"):
        await find_server({"HOME": str(tmp_path)}, CLOCK)


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent: no such file"):
        await from_kubeconfig(str(tmp_path / "absent"), CLOCK)


async def test_a_file_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken"
    file.write_text("clusters: 7\n")
    with pytest.raises(ConfigError, match="broken"):
        await from_kubeconfig(str(file), CLOCK)


async def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config")
    with pytest.raises(ConfigError, match="no context 'green'; there are blue, red"):
        await from_kubeconfig(str(file), CLOCK, context="green")
    assert (await from_kubeconfig(str(file), CLOCK, context="red")).url == "http://127.0.0.1:1"


async def test_https_without_credentials_is_a_mistake(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    with pytest.raises(ConfigError, match="no usable credentials"):
        await from_kubeconfig(str(file), CLOCK)


async def test_a_certificate_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": str(tmp_path / "ca.crt")}
    (tmp_path / "ca.crt").write_text("this is no certificate")
    file = kubeconfig(tmp_path / "config", user={"token": "t"}, clusters=[{"name": "c", "cluster": cluster}])
    with pytest.raises(ConfigError, match="its certificates cannot be used"):
        await from_kubeconfig(str(file), CLOCK)


async def test_the_line_break_after_a_token_does_not_reach_the_header(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    file = kubeconfig(tmp_path / "config", user={"tokenFile": str(tmp_path / "token")})
    server = await from_kubeconfig(str(file), CLOCK)
    assert await server.credentials.headers() == {"Authorization": "Bearer secret"}


async def test_a_pod_without_its_service_account_says_what_is_missing(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ConfigError, match="in-cluster configuration"):
        await in_cluster(environment, CLOCK, directory=tmp_path)


class ManualClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


async def test_a_token_file_is_read_again_every_minute_and_the_old_token_serves_while_that_fails(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    token = tmp_path / "token"
    token.write_text("first")
    server = await from_kubeconfig(str(kubeconfig(tmp_path / "c", user={"tokenFile": str(token)})), clock)
    token.write_text("second")
    clock.seconds += 59
    assert await server.credentials.headers() == {"Authorization": "Bearer first"}
    clock.seconds += 1
    assert await server.credentials.headers() == {"Authorization": "Bearer second"}
    token.unlink()
    clock.seconds += 60
    assert await server.credentials.headers() == {"Authorization": "Bearer second"}


async def test_of_many_that_were_refused_one_reads_the_token_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    server = await from_kubeconfig(str(kubeconfig(tmp_path / "c", user={"tokenFile": str(token)})), ManualClock())
    seen = await server.credentials.headers()
    assert not await server.credentials.refresh(seen), "nothing has changed"
    seen = await server.credentials.headers()
    token.write_text("second")
    assert await server.credentials.refresh(seen)
    token.write_text("third")
    assert await server.credentials.refresh(seen), "another has refreshed it meanwhile"
    assert await server.credentials.headers() == {"Authorization": "Bearer second"}
