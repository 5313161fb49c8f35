"""Knative Serving in a lab: its controllers, its webhooks, and a network layer whose ingresses lead nowhere."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from aliquot_lab import hollow
from aliquot_lab.api import ApiError
from aliquot_lab.binaries import Program, Progress
from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.operators import manifests
from aliquot_lab.operators.modules import Edit, Kept, Module, ensure
from aliquot_lab.ports import free_ports
from aliquot_lab.waiting import wait_for

NAMESPACE: Final = "knative-serving"
INGRESS_CLASS: Final = "hollow.lab.aliquot.dev"
WEBHOOK: Final = "knative-webhook"
CONTROLLER: Final = "knative-controller"
AUTOSCALER: Final = "knative-autoscaler"
HPA: Final = "knative-autoscaler-hpa"
INGRESS: Final = "knative-ingress"
_OWN: Final = (WEBHOOK, CONTROLLER, AUTOSCALER, HPA)
_ACCOUNT: Final = "controller"
_SERVICE: Final = "webhook"
_COMMANDS: Final = "knative.dev/serving/cmd"

MODULE: Final = Module(
    path="knative.dev/serving",
    version="v0.50.0",
    manifests="config/core",
    programs=(
        Program("controller", f"{_COMMANDS}/controller", 120),
        Program("webhook", f"{_COMMANDS}/webhook", 10),
        Program("autoscaler", f"{_COMMANDS}/autoscaler", 10),
        Program("autoscaler-hpa", f"{_COMMANDS}/autoscaler-hpa", 5),
    ),
    companions=("knative.dev/networking", "knative.dev/caching"),
    # They serve on port 8080, each in a pod of its own; here they share one machine, with other labs, too.
    edits=(
        Edit(
            "cmd/controller/main.go",
            'sharedmain.MainWithConfig(ctx, "controller"',
            'sharedmain.MainWithConfig(sharedmain.WithHealthProbesDisabled(ctx), "controller"',
        ),
        Edit(
            "cmd/autoscaler-hpa/main.go",
            'sharedmain.Main("hpaautoscaler"',
            'sharedmain.MainWithContext(sharedmain.WithHealthProbesDisabled(signals.NewContext()), "hpaautoscaler"',
        ),
        Edit(
            "cmd/autoscaler-hpa/main.go",
            '"knative.dev/pkg/injection/sharedmain"',
            '"knative.dev/pkg/injection/sharedmain"\n\t"knative.dev/pkg/signals"',
        ),
        Edit("cmd/autoscaler/main.go", 'statsServerAddr = ":8080"', 'statsServerAddr = "127.0.0.1:0"'),
    ),
)
_PARTS: Final = (
    "100-namespace.yaml",
    "200-serviceaccount.yaml",
    "200-roles",
    "300-resources",
    "configmaps",
    "webhooks",
)
# Whose tags are not looked up: nobody is asked for an image that no hollow node pulls.
_REGISTRIES: Final = ("index.docker.io", "gcr.io", "ghcr.io", "nvcr.io", "quay.io", "registry.example.com")
# Of pods on hollow nodes nobody reports how busy they are; what is sent there goes to a port where nobody listens.
_NOWHERE: Final = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Knative:
    """Knative Serving that runs in a lab.

    Attributes:
        cluster: The lab.
        objects: What was applied for it.
    """

    cluster: Cluster
    objects: tuple[manifests.Manifest, ...]

    def wait_ready(self) -> None:
        """Wait until its webhooks answer and its controllers lead.

        Raises:
            LabError: they do not in time.
        """
        wait_for(lambda: _admits(self.cluster), "Knative to admit a Service", self.cluster, INGRESS, restarting=_OWN)

    def close(self) -> None:
        """End it; its kinds and their objects stay."""
        for process in (INGRESS, *reversed(_OWN)):
            with suppress(LabError):  # it was never started
                self.cluster.stop(process)
        manifests.forget_webhooks(self.cluster, self.objects)


def install(cluster: Cluster, progress: Progress | None = None) -> Knative:
    """Apply its manifests, run it with the rights that they give it, and wait until it is ready.

    Args:
        cluster: A lab on this machine: its API server has to reach the webhooks.
        progress: Told if it has to be built first.

    Raises:
        LabError: it cannot be built, was refused, or is not ready in time.
    """
    kept = ensure(MODULE, progress)
    (port,) = free_ports(1)
    objects = _objects(kept, port)
    manifests.apply(cluster, objects)
    kubeconfig = cluster.kubeconfig_for(_ACCOUNT, NAMESPACE)
    common = {
        "KUBECONFIG": str(kubeconfig),
        "SYSTEM_NAMESPACE": NAMESPACE,
        "CONFIG_LOGGING_NAME": "config-logging",
        "CONFIG_OBSERVABILITY_NAME": "config-observability",
        "PROFILING_PORT": "0",
        "HTTP_PROXY": _NOWHERE,
        "POD_IP": "192.0.2.1",
    }
    serving = Knative(cluster, tuple(objects))
    own: dict[str, Mapping[str, str]] = {
        WEBHOOK: {"WEBHOOK_NAME": _SERVICE, "WEBHOOK_PORT": str(port)},
        CONTROLLER: {},
        AUTOSCALER: {},
        HPA: {},
    }
    try:
        for name, more in own.items():
            program = kept.program(name.removeprefix("knative-"))
            # They end when they lose their lease, which happens on a busy machine.
            cluster.run(name, [str(program)], {**common, "POD_NAME": name, **more}, restarts=True)
        cluster.run(INGRESS, _network_layer(cluster), {})
        serving.wait_ready()
    except BaseException:
        serving.close()
        raise
    return serving


def _objects(kept: Kept, port: int) -> list[manifests.Manifest]:
    core = manifests.read(*(kept.manifests(MODULE.name) / part for part in _PARTS))
    services = manifests.of_kinds(manifests.read(kept.manifests(MODULE.name) / "deployments"), "Service")
    networking = manifests.read(kept.manifests("networking"))
    caching = manifests.read(kept.manifests("caching"))
    objects = [*core, *services, *networking, *caching]
    features = next(each for each in objects if each["metadata"]["name"] == "config-features")
    example = cast("dict[str, Any]", yaml.safe_load(features["data"]["_example"]))
    configured = manifests.with_data(
        objects,
        {
            "config-deployment": {
                "queue-sidecar-image": "registry.example.com/knative/queue:1",
                "registries-skipping-tag-resolving": ",".join(_REGISTRIES),
            },
            "config-features": {key: "enabled" for key in example if key.startswith("kubernetes.")},
            "config-network": {"ingress-class": INGRESS_CLASS},
            # A controller that was killed is followed soon.
            "config-leader-election": {"lease-duration": "15s", "renew-deadline": "10s", "retry-period": "2s"},
        },
    )
    return manifests.served_here(configured, _SERVICE, port)


def _network_layer(cluster: Cluster) -> list[str]:
    configuration = Path(__file__).parent / "ingress.yaml"
    return [
        str(cluster.binary(hollow.NAME)),
        f"--kubeconfig={cluster.directory / 'kwok.kubeconfig'}",
        f"--config={configuration}",
        "--v=WARN",
    ]


def _admits(cluster: Cluster) -> bool:
    """Whether a Service comes out of a dry run with what the webhook adds."""
    spec = {"template": {"spec": {"containers": [{"image": "registry.example.com/ready:1"}]}}}
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "dry"}, "spec": spec}
    try:
        made = cluster.api.call("POST", "/apis/serving.knative.dev/v1/namespaces/default/services?dryRun=All", service)
    except (ApiError, OSError):
        return False
    return "serving.knative.dev/creator" in made["metadata"].get("annotations", {})
