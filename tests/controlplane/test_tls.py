"""`aliquot control-plane serve` with TLS of its own: what it shows, and that renewing it takes no restart."""

import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from aliquot.cli.main import app
from aliquot.cluster.webhook.certificates import Credentials, issue
from tests.controlplane.plane import PATIENCE_SECONDS, serving


def _issued() -> Credentials:
    return issue(("127.0.0.1", "localhost"), time.time(), 30)


def _write(folder: Path, made: Credentials) -> tuple[Path, Path]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    for file, content in ((certificate, made.certificate), (key, made.key)):
        fresh = folder / f"{file.name}.new"
        fresh.write_bytes(content)
        fresh.rename(file)
    return certificate, key


def _shown(port: int) -> bytes:
    return ssl.get_server_certificate(("127.0.0.1", port)).encode()


def _first(bundle: bytes) -> bytes:
    end = b"-----END CERTIFICATE-----\n"
    return bundle[: bundle.index(end) + len(end)]


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never(tmp_path: Path) -> None:
    first, second = _issued(), _issued()
    certificate, key = _write(tmp_path, first)
    arguments = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with serving(f"sqlite:///{tmp_path}/aliquot.db", tmp_path, *arguments) as process:
        port = int(process.address.rpartition(":")[2])
        trusting = ssl.create_default_context(cadata=first.authorities.decode())
        with httpx.Client(verify=trusting, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            found = http.get(f"https://127.0.0.1:{port}/auth/realms/runai/.well-known/openid-configuration").json()
            assert found["issuer"] == f"https://127.0.0.1:{port}/auth/realms/runai"
            assert _shown(port) == _first(first.certificate)
            key.write_bytes(second.key)  # half of a renewal
            assert _shown(port) == _first(first.certificate)
            _write(tmp_path, second)
            assert _shown(port) == _first(second.certificate)
            certificate.write_text("nonsense")
            assert _shown(port) == _first(second.certificate)
            certificate.unlink()
            assert _shown(port) == _first(second.certificate)
            assert http.get(f"https://127.0.0.1:{port}/healthz").text == "ok\n", "who is connected stays so"
        older = ssl.create_default_context(cadata=second.authorities.decode())
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        with httpx.Client(verify=older, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            assert http.get(f"https://localhost:{port}/healthz").status_code == 200
        assert process.stop() == 0


def test_handshakes_at_once_all_succeed_while_it_is_renewed(tmp_path: Path) -> None:
    certificate, key = _write(tmp_path, _issued())
    arguments = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with serving(f"sqlite:///{tmp_path}/aliquot.db", tmp_path, *arguments) as process:
        port, shown = int(process.address.rpartition(":")[2]), list[bytes]()
        threads = [threading.Thread(target=lambda: shown.extend(_shown(port) for _ in range(10))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            _write(tmp_path, _issued())
        for thread in threads:
            thread.join()
        assert len(shown) == 40


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (["--tls-cert", "tls.crt"], 2, "ALIQUOT_SERVER"),
        (["--tls-cert", "none.crt", "--tls-key", "tls.key"], 1, "none.crt"),
        (["--tls-cert", "tls.key", "--tls-key", "tls.crt"], 1, "tls.key"),
        (["--tls-cert", "tls.crt", "--tls-key", "other.key"], 1, "other.key"),
    ],
    ids=["without its key", "that is not there", "that is none", "of another key"],
)
def test_a_certificate_that_cannot_be_used_is_told_of_at_the_start(
    tmp_path: Path, given: list[str], code: int, says: str
) -> None:
    _write(tmp_path, _issued())
    (tmp_path / "other.key").write_bytes(_issued().key)
    paths = [each if each.startswith("--") else str(tmp_path / each) for each in given]
    arguments = ["control-plane", "serve", "--port", "0", "--database", f"sqlite:///{tmp_path}/aliquot.db", *paths]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, says in done.stderr) == (code, True), done.output
    assert "Traceback" not in done.output
