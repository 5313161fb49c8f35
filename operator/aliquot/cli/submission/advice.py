"""What is worth a word, and no mistake."""

from collections.abc import Sequence

from aliquot.cli.submission.flags import PodFlags
from aliquot.cli.submission.kind_flags import KindFlags


def advice(flags: PodFlags, kind: KindFlags | None = None) -> Sequence[str]:
    """Say what users may not expect of their flags, a sentence each."""
    said: list[str] = []
    if kind is not None and kind.interactive and kind.preemptible:
        said.append("--preemptible: others may take the GPUs of this job at any time, and its pod ends then")
    if (flags.network.service_type or "").lower() == "portforward":
        said.append("--service-type portforward is deprecated, and ports are not forwarded: use kubectl port-forward")
    if flags.network.address is not None:
        said.append("--address has no effect: ports are not forwarded")
    return said
