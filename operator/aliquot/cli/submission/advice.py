"""What is worth a word, and no mistake."""

from collections.abc import Sequence

from aliquot.cli.submission.flags import PodFlags
from aliquot.cli.submission.kind_flags import KindFlags
from aliquot.cli.submission.pod import PORT_FORWARD, forwards


def advice(flags: PodFlags, kind: KindFlags | None = None) -> Sequence[str]:
    """Say what users may not expect of their flags, a sentence each."""
    said: list[str] = []
    if kind is not None and kind.interactive and kind.preemptible:
        said.append("--preemptible: others may take the GPUs of this job at any time, and its pod ends then")
    if flags.network.address and not forwards(flags.network):
        said.append(f"--address has no effect without --service-type {PORT_FORWARD}: no ports are forwarded")
    return said
