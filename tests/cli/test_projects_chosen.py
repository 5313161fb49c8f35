"""Which project and cluster a command is about: what was typed, what was chosen, what the kubeconfig says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from aliquot.cli.inside.entering import seconds_back
from aliquot.cli.preferences import Preferences, preferences_file, read_preferences, write_preferences
from aliquot.cli.session import named_project
from aliquot.errors import UserError
from aliquot.kube.config import ConfigError
from aliquot.kube.contexts import Context, contexts, kubeconfig_paths
from tests.cli.test_jobs_shown import NOW, before

HERE = Context("lab", "runai-team-c")
CHOICES: dict[str, tuple[str | None, str | None, Context | None, str | None]] = {
    "typed": ("team-a", "team-b", HERE, "team-a"),
    "chosen": (None, "team-b", HERE, "team-b"),
    "of the kubeconfig": (None, None, HERE, "team-c"),
    "a namespace of another name": (None, None, Context("lab", "default"), None),
    "a prefix and nothing more": (None, None, Context("lab", "runai-"), None),
    "no namespace": (None, None, Context("lab"), None),
    "no context": (None, None, None, None),
}


@pytest.mark.parametrize(("typed", "chosen", "context", "project"), CHOICES.values(), ids=CHOICES)
def test_which_project_is_meant(
    typed: str | None, chosen: str | None, context: Context | None, project: str | None
) -> None:
    assert named_project(typed, Preferences(project=chosen), context) == project


def test_what_was_chosen_is_kept_at_home(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    assert read_preferences(environment) == Preferences()
    write_preferences(environment, Preferences(project="team-a", cluster="lab"))
    assert preferences_file(environment) == tmp_path / ".config" / "aliquot" / "config.yaml"
    assert read_preferences(environment) == Preferences(project="team-a", cluster="lab")
    elsewhere = environment | {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert read_preferences(elsewhere) == Preferences()


SPOILT = {"no YAML": "project: [", "no name": "project: {a: b}", "a number": "cluster: 3"}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_named(tmp_path: Path, text: str) -> None:
    file = preferences_file({"HOME": str(tmp_path)})
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(UserError, match=str(file)):
        read_preferences({"HOME": str(tmp_path)})


def kubeconfig(**more: Any) -> str:
    def context(name: str, namespace: str | None) -> dict[str, Any]:
        inside = {"cluster": "c", "user": "u"} | ({"namespace": namespace} if namespace else {})
        return {"name": name, "context": inside}

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://localhost:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [context("one", "runai-team-a"), context("two", None)],
        "current-context": "one",
    }
    return yaml.safe_dump(document | more)


def test_contexts_of_a_kubeconfig(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig())
    every, current = contexts({"KUBECONFIG": f"{tmp_path / 'missing'}:{file}"})
    assert (list(every), current) == ([Context("one", "runai-team-a"), Context("two")], Context("one", "runai-team-a"))


def test_without_a_kubeconfig_there_are_no_contexts(tmp_path: Path) -> None:
    assert contexts({"HOME": str(tmp_path)}) == ((), None)


def test_a_spoilt_kubeconfig_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("contexts: 3")
    with pytest.raises(ConfigError, match=str(file)):
        contexts({"KUBECONFIG": str(file)})


def test_in_a_pod_its_service_account_counts(tmp_path: Path) -> None:
    pod = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    assert kubeconfig_paths(pod) is None
    assert kubeconfig_paths(pod, "elsewhere") == f"{tmp_path}/.kube/config"
    assert kubeconfig_paths(pod | {"KUBECONFIG": "/a:/b"}) == "/a:/b"
    _, current = contexts(pod)
    assert current == Context("in-cluster")


BACK: dict[str, tuple[str | None, str | None, int | None]] = {
    "all of it": (None, None, None),
    "a length": ("2m", None, 120),
    "a moment": (None, before(minutes=5), 300),
    "a moment without a zone": (None, "2026-01-31T11:59:00", 60),
    "a moment to come": (None, before(minutes=-5), 1),
}


@pytest.mark.parametrize(("since", "time", "seconds"), BACK.values(), ids=BACK)
def test_how_far_back_a_log_goes(since: str | None, time: str | None, seconds: int | None) -> None:
    assert seconds_back(since, time, NOW) == seconds


NO_TIMES = {
    "a length": ("soon", None, "--since: 'soon'"),
    "no time at all": ("0", None, "--since: '0'"),
    "a moment": (None, "noon", "--since-time: 'noon'"),
    "both": ("2m", "2026-01-31T12:00:00Z", "--since-time: "),
}


@pytest.mark.parametrize(("since", "time", "said"), NO_TIMES.values(), ids=NO_TIMES)
def test_times_that_are_none(since: str | None, time: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        seconds_back(since, time, NOW)
