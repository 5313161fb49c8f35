"""Reading and writing kubeconfig files."""

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from aliquot_lab.certificates import KeyPair, write_secret
from aliquot_lab.errors import LabError


@dataclass(frozen=True)
class Access:
    """Where an API server is and who we are there: by client certificate or by bearer token.

    Attributes:
        server: URL without a trailing slash.
        authority: PEM of the certificate authority that signed the server's certificate; None trusts the system's.
        client: Client certificate, or None.
        token: Bearer token, or None.
    """

    server: str
    authority: bytes | None
    client: KeyPair | None = None
    token: str | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """A context that trusts only this server's authority and carries the client certificate, if there is one."""
        context = ssl.create_default_context(cadata=self.authority.decode() if self.authority else None)
        if self.client is not None:
            # The standard library loads certificates from files only.
            with tempfile.TemporaryDirectory(prefix="aliquot-lab-client-") as folder:
                self.client.write(Path(folder), "client")
                context.load_cert_chain(Path(folder, "client.crt"), Path(folder, "client.key"))
        return context

    def headers(self) -> dict[str, str]:
        """The authorisation header, if the access goes by token."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def write(path: Path, access: Access, *, user: str, context: str = "lab") -> Path:
    """Write a kubeconfig for `access` with mode 0600 and return its path."""
    cluster: dict[str, str] = {"server": access.server}
    if access.authority is not None:
        cluster["certificate-authority-data"] = _encoded(access.authority)
    credentials: dict[str, str] = {}
    if access.client is not None:
        credentials["client-certificate-data"] = _encoded(access.client.certificate)
        credentials["client-key-data"] = _encoded(access.client.key)
    if access.token is not None:
        credentials["token"] = access.token
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write_secret(unfinished, yaml.safe_dump(document, sort_keys=False).encode())
    unfinished.replace(path)
    return path


def read(path: Path) -> Access:
    """Read the current context of a kubeconfig file.

    Raises:
        LabError: the file is missing or has no usable current context, or logs in by a helper program.
    """
    try:
        document = cast("dict[str, Any]", yaml.safe_load(path.read_text()))
        context = _named(document, "contexts", document["current-context"])["context"]
        cluster = _named(document, "clusters", context["cluster"])["cluster"]
        user = _named(document, "users", context["user"])["user"]
        server = str(cluster["server"]).rstrip("/")
    except (OSError, yaml.YAMLError, KeyError, TypeError) as problem:
        message = f"{path}: not a kubeconfig with a current context: {problem!r}"
        raise LabError(message) from problem
    if "exec" in user or "auth-provider" in user:
        message = f"{path}: the lab reads client certificates and tokens, this context logs in by a helper program"
        raise LabError(message)
    certificate = _content(path, user, "client-certificate")
    key = _content(path, user, "client-key")
    token = user.get("token")
    if token is None and "tokenFile" in user:
        token = (path.parent / str(user["tokenFile"])).read_text().strip()
    return Access(
        server=server,
        authority=_content(path, cluster, "certificate-authority"),
        client=KeyPair(certificate, key) if certificate and key else None,
        token=token,
    )


def _named(document: dict[str, Any], part: str, name: object) -> dict[str, Any]:
    for entry in document[part]:
        if entry["name"] == name:
            return entry
    raise KeyError(f"{part}: {name}")


def _content(path: Path, entry: dict[str, Any], field: str) -> bytes | None:
    if data := entry.get(f"{field}-data"):
        return base64.b64decode(data)
    if file := entry.get(field):
        return (path.parent / str(file)).read_bytes()
    return None


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
