"""People are the same in a cluster as over REST, when its API server is set up as docs/control-plane.md says."""

import ssl
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx
import pytest
import yaml

from aliquot_lab import Cluster
from aliquot_lab.api import Api, ApiError
from aliquot_lab.certificates import Authority
from aliquot_lab.kubeconfig import Access
from aliquot_lab.processes import eventually
from tests.controlplane.issuer import Issuer, issuing
from tests.controlplane.plane import Caller, Process, serving
from tests.docs.pages import ROOT, blocks

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

REVIEWS: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
BINDINGS: Final = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"
OUTSIDE: Final = "https://sso.example.com/realms/lab"
OURS: Final = "https://aliquot.example.com/auth/realms/runai"
ADA: Final = {"aud": "aliquot", "email": "Ada@example.com", "email_verified": True, "groups": ["ml"]}
_SECONDS: Final = 180.0


@dataclass
class Signing:
    """Who gives tokens, and the API server that takes them."""

    cluster: Cluster
    issuer: Issuer
    plane: Process
    nobody: Caller

    def as_(self, token: str) -> Api:
        """Somebody who shows a token."""
        return Api(Access(self.cluster.server, self.cluster.access.authority, token=token))

    def who(self, token: str) -> dict[str, Any]:
        """What the API server takes somebody for."""
        return self.as_(token).call("POST", REVIEWS, {})["status"]["userInfo"]

    def takes(self, token: str) -> bool:
        """Whether it takes this token."""
        return _succeeds(self.as_(token), "POST", REVIEWS, refused=401)

    def said(self, **claims: Any) -> str:
        """A token of the issuer's, whose claims are other than Ada's."""
        self.issuer.people["else"] = {**ADA, **claims}
        return self.issuer.id_token("else")

    def tokens(self, **body: str) -> dict[str, str]:
        """What Aliquot gives to who signs in."""
        return self.nobody.done("POST", "/api/v1/token", body)

    def administrator(self) -> dict[str, str]:
        """Tokens of a local user."""
        password = self.plane.printed["password"]
        return self.tokens(grantType="password", username="admin@aliquot.local", password=password)


def _documented(authority: str, where: dict[str, str]) -> list[dict[str, Any]]:
    """The page's configuration, for other addresses."""
    texts = map(yaml.safe_load, blocks(ROOT / "docs" / "control-plane.md", "yaml"))
    [said] = [text for text in texts if text.get("kind") == "AuthenticationConfiguration"]
    for each in said["jwt"]:
        each["issuer"] |= {"url": where.pop(each["issuer"]["url"]), "certificateAuthority": authority}
    assert not where
    return said["jwt"]


@pytest.fixture(scope="module")
def signing(synced_lab: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Generator[Signing]:
    """An issuer and a control plane whose tokens the lab's API server takes: it needs a while to ask who they are."""
    tmp_path = tmp_path_factory.mktemp("signing")
    authority = Authority.read(synced_lab.directory / "pki", "ca")
    authority.server("issuer", hosts=["127.0.0.1"]).write(tmp_path, "tls")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    trusted = ssl.create_default_context(cadata=authority.certificate.decode())
    shown = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with (
        issuing(certificate, key) as issuer,
        serving(f"sqlite:///{tmp_path}/aliquot.db", tmp_path, *shown) as plane,
        httpx.Client(base_url=plane.address.replace("http:", "https:"), verify=trusted, trust_env=False) as http,
    ):
        issuer.people["ada-1"] = dict(ADA)
        where = {OUTSIDE: issuer.url, OURS: f"{http.base_url}/auth/realms/runai"}
        synced_lab.trust(_documented(authority.certificate.decode(), where))
        made = Signing(synced_lab, issuer, plane, Caller(http, "localhost"))
        try:
            for token in (issuer.id_token("ada-1"), made.administrator()["idToken"]):
                assert eventually(partial(made.takes, token), seconds=_SECONDS, interval=0.2)
            yield made
        finally:
            synced_lab.trust(())


def test_people_have_the_names_and_rights_that_access_rules_give_them(signing: Signing, name_for_test: str) -> None:
    ada = signing.issuer.id_token("ada-1")
    assert signing.who(ada)["username"] == "ada@example.com", "in small letters, as rules have it"
    assert set(signing.who(ada)["groups"]) == {"ml", "system:authenticated"}
    administrator = signing.administrator()["idToken"]
    assert signing.who(administrator)["username"] == "admin@aliquot.local"

    signing.cluster.add_namespace(name_for_test)
    pods = f"/api/v1/namespaces/{name_for_test}/pods"
    for token in (ada, administrator):
        with pytest.raises(ApiError) as forbidden:
            signing.as_(token).call("GET", pods)
        assert forbidden.value.status == 403
    _binding(signing, name_for_test, "Group", "ml")
    _binding(signing, name_for_test, "User", "admin@aliquot.local")
    for token in (ada, administrator):
        lists = partial(_succeeds, signing.as_(token), "GET", pods, refused=403)
        assert eventually(lists, seconds=_SECONDS)
    with pytest.raises(ApiError) as elsewhere:
        signing.as_(ada).call("GET", "/api/v1/namespaces/default/pods")
    assert elsewhere.value.status == 403
    signing.cluster.remove_namespace(name_for_test)


def test_no_other_token_is_taken(signing: Signing) -> None:
    tokens = signing.administrator()
    refused = {
        "an access token": tokens["accessToken"],
        "a refresh token": tokens["refreshToken"],
        "somebody whose address is not verified": signing.said(email_verified=False),
        "somebody who calls himself the system": signing.said(email="system:kube-scheduler"),
        "somebody in a group of the system": signing.said(groups=["system:masters"]),
        "a token for another client": signing.said(aud="another"),
        "a token that is over": signing.said(exp=int(time.time()) - 3600),
    }
    taken = {what for what, token in refused.items() if signing.takes(token)}
    assert not taken
    assert signing.takes(signing.said()), "which is what they are compared to"


def test_applications_are_known_by_their_names_and_never_as_a_user(signing: Signing) -> None:
    nobody, administrator = signing.nobody, signing.administrator()["accessToken"]
    caller = Caller(nobody.http, nobody.host, administrator)
    robot, mimic = (caller.done("POST", "/api/v1/apps", {"name": name}) for name in ("robot", "ada@example.com"))
    token, pretended = (
        signing.tokens(grantType="app_token", AppId=made["name"], AppSecret=made["secret"])["idToken"]
        for made in (robot, mimic)
    )
    assert signing.who(token)["username"] == "robot"
    assert not signing.takes(pretended)


def _binding(signing: Signing, namespace: str, kind: str, name: str) -> None:
    subject = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}
    body = {"metadata": {"name": f"{kind.lower()}s"}, "roleRef": role, "subjects": [subject]}
    signing.cluster.api.call("POST", BINDINGS.format(namespace), body)


def _succeeds(api: Api, method: str, path: str, *, refused: int) -> bool:
    """Whether a request is carried out; if not, it is refused with this status, and for no other reason."""
    try:
        api.call(method, path, {} if method == "POST" else None)
    except ApiError as problem:
        if problem.status != refused:
            raise
        return False
    return True
