"""Certificates of the webhook: what is made, what is refused, when a new one is due, and who trusts which."""

import ssl
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography import x509

from aliquot.clock import SystemClock
from aliquot.cluster.webhook.certificates import DAY, Credentials, UnusableCredentials, due, issue, read

HOST = "aliquot-webhook.runai.svc"
NOW = 1_800_000_000.0


def made(*hosts: str, now: float = NOW, trusted: bytes = b"") -> Credentials:
    return issue(hosts or (HOST,), now, 90, trusted)


def test_what_was_made_is_read_again() -> None:
    credentials = made()
    assert read(credentials.data()) == credentials
    assert credentials.host_names == (HOST,)
    assert credentials.expires == NOW + 90 * DAY


def test_names_and_addresses_are_hosts() -> None:
    assert made(HOST, "127.0.0.1").host_names == (HOST, "127.0.0.1")


@pytest.mark.parametrize("data", [{}, {"tls.crt": "", "tls.key": ""}, {"other": "eA=="}], ids=str)
def test_an_empty_secret_says_nothing(data: dict[str, str]) -> None:
    assert read(data) is None


ONE, OTHER = made().data(), made().data()
UNUSABLE = {
    "no base64": {**ONE, "tls.crt": "*"},
    "no certificate": {**ONE, "tls.crt": b64encode(b"hello").decode()},
    "no key": {**ONE, "tls.key": ""},
    "a certificate alone": {"tls.crt": ONE["tls.crt"]},
    "another's key": {**ONE, "tls.key": OTHER["tls.key"]},
    "another's authority": {**ONE, "ca.crt": OTHER["ca.crt"]},
    "an authority that is none": {**ONE, "ca.crt": b64encode(b"hello").decode()},
}


@pytest.mark.parametrize("data", UNUSABLE.values(), ids=UNUSABLE)
def test_what_does_not_fit_together_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(UnusableCredentials, match=r"tls\.crt, tls\.key and ca\.crt do not fit together"):
        read(data)


def test_where_an_issuer_names_no_authority_the_rest_counts() -> None:
    found = read({name: part for name, part in ONE.items() if name != "ca.crt"})
    assert found is not None
    assert due(found, HOST, NOW, 30) == "nothing says who signed it"


DUE = {
    "new": (0.0, HOST, None),
    "just before": (59.9, HOST, None),
    "a month before its end": (60.0, HOST, "it is valid for 30.0 more days"),
    "long over": (400.0, HOST, "it is valid for 0.0 more days"),
    "for another host": (0.0, "else.runai.svc", f"it is for {HOST}, not for else.runai.svc"),
}


@pytest.mark.parametrize(("days", "host", "why"), DUE.values(), ids=DUE)
def test_a_new_one_is_due(days: float, host: str, why: str | None) -> None:
    assert due(made(), host, NOW + days * DAY, 30) == why


def trusts(authorities: bytes, credentials: Credentials, folder: Path, host: str = HOST) -> bool:
    """Whether a client that trusts these authorities takes the certificate, by TLS's own rules, without a network."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(credentials.certificate)
    key.write_bytes(credentials.key)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    calling = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    calling.load_verify_locations(cadata=authorities.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = calling.wrap_bio(to_client, to_server, server_hostname=host)
    server = served.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_clients_trust_it_for_its_host_and_nothing_else(tmp_path: Path) -> None:
    credentials = made(now=SystemClock().now())
    assert trusts(credentials.authorities, credentials, tmp_path)
    assert not trusts(credentials.authorities, credentials, tmp_path, "kubernetes.default.svc")
    assert not trusts(made(now=SystemClock().now()).authorities, credentials, tmp_path)


def test_a_renewed_one_and_the_one_before_are_trusted_by_the_same_bundle(tmp_path: Path) -> None:
    before = made(now=SystemClock().now() - 60 * DAY)
    after = made(now=SystemClock().now(), trusted=before.authorities)
    assert trusts(after.authorities, before, tmp_path)
    assert trusts(after.authorities, after, tmp_path)
    assert not trusts(before.authorities, after, tmp_path)


def test_authorities_that_have_ended_are_trusted_no_more() -> None:
    first = made(now=NOW)
    second = made(now=NOW + 60 * DAY, trusted=first.authorities)
    third = made(now=NOW + 120 * DAY, trusted=second.authorities)
    bundles = [x509.load_pem_x509_certificates(each.authorities) for each in (first, second, third)]
    assert [len(bundle) for bundle in bundles] == [1, 2, 2]
    assert bundles[2][1] == bundles[1][0]
    assert bundles[2][0].subject != bundles[2][1].subject, "clients find an authority by its name"
