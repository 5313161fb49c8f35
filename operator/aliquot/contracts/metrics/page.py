"""The page of metrics, made from the catalogue.

`python -m aliquot.contracts.metrics.page docs/metrics.md` writes it; the same catalogue always gives the same bytes.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from aliquot.contracts.metrics.agent import AGENT
from aliquot.contracts.metrics.dcgm import DCGM
from aliquot.contracts.metrics.gpus import GPUS
from aliquot.contracts.metrics.model import Metric
from aliquot.contracts.metrics.pods import PODS
from aliquot.contracts.metrics.runai import RUNAI
from aliquot.contracts.metrics.tenancy import BELONGING, PROJECTS, TENANCY

_HEAD: Final = """\
<!-- From operator/aliquot/contracts/metrics, by `python -m aliquot.contracts.metrics.page docs/metrics.md`. -->
# Metrics of GPUs

`aliquot agent` runs on every node with GPUs and serves these at port 9400, path `/metrics`. Each scrape takes one
reading through NVML, the driver's own library; neither DCGM nor a privileged pod is needed.

- What a GPU or driver does not support is absent, never 0; `aliquot_gpu_not_supported_info` says what it lacks.
- A call of the driver that does not come back stops no scrape: the last good reading is shown, and
  `aliquot_agent_reading_age_seconds` and `aliquot_agent_reading_hung_seconds` say so. When it is too old
  (`ALIQUOT_READINGS__STALE_SECONDS`), metrics of GPUs are absent.
- A process counts for the pod whose container it runs in, found by its cgroup; containers of a pod count together.
- Prometheus takes an empty label for one that is not there.
"""

_RULES: Final = """\
## Recording rules

`helm/aliquot/files/recording-rules.yaml` makes sums of these, for each project, each node pool and the cluster; with
`recordingRules.enabled=true` the chart installs them as a PrometheusRule. Their names are `level:metric:operation`:

| operation | of | is |
|---|---|---|
| `sum` | GPUs, bytes | all of them together |
| `avg` | utilization | the average of the GPUs, or of the parts of them that pods have |
| `sum_idle5m` | allocated GPUs | those that pods hold which have had no work for five minutes |
| `sum_overquota` | allocated GPUs | what projects hold beyond what they deserve |

Without the Prometheus operator take the file as it is, and scrape with `honor_labels: true`: `namespace`, `pod` and
`node` are whose reading it is, not where it was scraped.
"""

SECTIONS: Final[tuple[tuple[str, str, tuple[Metric, ...]], ...]] = (
    ("GPUs", "In base units, as is the custom of Prometheus.", GPUS),
    ("Pods", "What pods were given, and what they use, also where several share a GPU.", PODS),
    (
        "Compatible with dcgm-exporter",
        "Names, units and labels of the default set of NVIDIA's exporter, as far as plain NVML can give it.",
        DCGM,
    ),
    (
        "Compatible with Run:ai",
        "What one node knows. The label `clusterId` is what `ALIQUOT_IDENTITY__CLUSTER` says.",
        RUNAI,
    ),
    ("The agent itself", "How far its readings can be believed.", AGENT),
)
OPERATOR_SECTIONS: Final[tuple[tuple[str, str, tuple[Metric, ...]], ...]] = (
    (
        "Projects",
        "What the scheduler's books say. The replica of `aliquot operator` that leads serves these, at its port 8080.",
        PROJECTS,
    ),
    ("What belongs where", "By these, readings of nodes and pods add up for node pools and projects.", BELONGING),
)
CATALOGUE: Final = tuple(metric for _, _, metrics in SECTIONS for metric in metrics)
"""Every metric of the agent, in the order of the page."""
EVERY_METRIC: Final = (*CATALOGUE, *TENANCY)
"""Those of the agent, and those of the operator that are about the cluster."""


def document() -> str:
    """Return the text of the page."""
    sections = (*SECTIONS, *OPERATOR_SECTIONS)
    return "\n".join([_HEAD, *(line for section in sections for line in _section(*section)), _RULES])


def _section(title: str, text: str, metrics: Sequence[Metric]) -> Iterator[str]:
    yield from (f"## {title}", "", text, "")
    shared = [label for label in metrics[0].labels if all(label in metric.labels for metric in metrics)]
    if shared:
        yield from (f"Labels of all: {_code(shared)}.", "")
    yield from (
        "| metric | type | unit | further labels | meaning |",
        "|---|---|---|---|---|",
    )
    for metric in metrics:
        more = _code([label for label in metric.labels if label not in shared])
        yield f"| `{metric.name}` | {metric.type} | {metric.unit} | {more} | {_meaning(metric)} |"
    yield ""


def _meaning(metric: Metric) -> str:
    """What it means; in base units; what it was called."""
    twin = f" In base units: `{metric.twin}`." if metric.twin else ""
    old = f" Before: {_code(metric.old_names)}." if metric.old_names else ""
    return metric.help + twin + old


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m aliquot.contracts.metrics.page FILE")
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
