"""The generated code of the kubelet's APIs is that of their definitions."""

from pathlib import Path

import pytest

from tools.kubelet_apis import APIS, Api


@pytest.mark.parametrize("api", APIS, ids=[api.name for api in APIS])
def test_generated_code_is_in_step(api: Api, tmp_path: Path) -> None:
    api.generate(tmp_path)
    for file in api.generated:
        assert (tmp_path / file).read_text() == (api.root / file).read_text(), (
            f"{file} is out of step: run `python -m tools.kubelet_apis`"
        )
