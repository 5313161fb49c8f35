"""The generated code of the kubelet's API is that of its definition."""

from pathlib import Path

from demo.fake_gpus.kubelet_api import generate


def test_generated_code_is_in_step(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    for file in generate.GENERATED:
        assert (tmp_path / file).read_text() == (generate.ROOT / file).read_text(), (
            f"{file} is out of step: run `python -m demo.fake_gpus.kubelet_api.generate`"
        )
