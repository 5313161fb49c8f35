"""Settings are read once, from the environment; what is wrong stops the process with the name of the variable."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from aliquot.cli.main import app
from aliquot.settings import Settings, unknown_variables


def _started(process: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aliquot", process],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALIQUOT_WORK__WORKERS", "none", "ALIQUOT_WORK__WORKERS"),
        ("ALIQUOT_WORK__WORKERS", "0", "greater than or equal to 1"),
        ("ALIQUOT_LOG__LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("ALIQUOT_WORK__WROKERS", "3", "ALIQUOT_WORK__WROKERS"),
        ("ALIQUOT_LEADERSHIP__LEASE_SECONDS", "5", "must be less than"),
        ("ALIQUOT_CERTIFICATES__LIFETIME_DAYS", "30", "renew_before_days (30) must be less than lifetime_days (30)"),
        ("ALIQUOT_CONTROL_PLANE__URL", "aliquot.example.com", "ALIQUOT_CONTROL_PLANE__URL"),
        ("ALIQUOT_CONTROL_PLANE__URL", "https://aliquot.example.com", "cluster_uuid is missing"),
        ("ALIQUOT_CONTROL_PLANE__CLIENT_SECRET", "s", "client_secret says nothing without url"),
        ("ALIQUOT_CONTROL_PLANE__WAIT_SECONDS", "60", "less than or equal to 55"),
        ("ALIQUOT_WEBHOOK__PORT", "70000", "less than or equal to 65535"),
        ("ALIQUOT_ADDRESSES__AUTH_URL", "http://auth.example.com/oauth2/auth", "should match pattern"),
        ("ALIQUOT_ADDRESSES__AUTH_URL", "http://auth.example.com/?users={users}; deny all", "should match pattern"),
        ("ALIQUOT_ADDRESSES__AUTH_SIGNIN", "https://auth.example.com/start", "needs auth_url, which is empty"),
    ],
)
def test_a_wrong_setting_stops_the_process_and_is_named(variable: str, value: str, says: str) -> None:
    done = CliRunner().invoke(app, ["operator"], env={variable: value})
    assert done.exit_code == 2
    assert says in done.stderr


@pytest.mark.parametrize("secrets", [(), ("CLIENT_SECRET", "CLIENT_SECRET_FILE")], ids=["none", "both"])
def test_a_control_plane_wants_one_secret_and_nobody_repeats_it(secrets: tuple[str, ...]) -> None:
    told = {"URL": "https://aliquot.example.com", "CLUSTER_UUID": "71f69d83-ba66-4822-adf5-55ce55efd210"}
    told |= dict.fromkeys(secrets, "s3cret")
    done = CliRunner().invoke(app, ["operator"], env={f"ALIQUOT_CONTROL_PLANE__{name}": told[name] for name in told})
    assert done.exit_code == 2
    assert f"one of client_secret and client_secret_file must be given, not {len(secrets)}" in done.stderr
    assert "s3cret" not in done.output + done.stderr


def test_a_process_with_a_wrong_setting_ends_without_a_traceback() -> None:
    done = _started("operator", ALIQUOT_WORK__WORKERS="none")
    assert done.returncode == 2
    assert "ALIQUOT_WORK__WORKERS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("process", ["operator", "webhook"])
def test_without_an_api_server_a_process_says_where_it_looked(process: str) -> None:
    done = _started(process)
    assert done.returncode == 1
    assert "KUBECONFIG is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_variables_that_only_look_like_settings_are_found() -> None:
    assert unknown_variables(["ALIQUOT_LOG__LEVEL", "ALIQUOT_LOGS__LEVEL", "HOME"]) == ["ALIQUOT_LOGS__LEVEL"]


def test_defaults_are_the_documented_ones() -> None:
    settings = Settings()
    assert (settings.leadership.lease_seconds, settings.leadership.renew_deadline_seconds) == (15, 10)
    assert (settings.workloads.retry_base_seconds, settings.workloads.retry_cap_seconds) == (10, 360)
    assert (settings.certificates.lifetime_days, settings.certificates.renew_before_days) == (90, 30)
    assert (settings.workloads.cpu_milli_per_gpu, settings.workloads.memory_mib_per_gpu) == (1000, 100)
