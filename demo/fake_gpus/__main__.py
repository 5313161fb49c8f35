"""`python -m demo.fake_gpus`: make and change state files, build the library, run the device plugin."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from aliquot_lab import LabError
from demo.fake_gpus import library as nvml_library
from demo.fake_gpus import products, serving, state
from demo.fake_gpus.offers import FakeNvml, offers

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
StateFile = Annotated[Path, typer.Argument(metavar="STATE", help="The file that says what the node has.")]


@app.command()
def new(
    file: StateFile,
    node: Annotated[str, typer.Option(help="Name of the node; UUIDs come of it.")] = "node",
    gpus: Annotated[int, typer.Option(min=0, max=64)] = 8,
    product: Annotated[str, typer.Option(help=f"{', '.join(products.PRODUCTS)}.")] = "h100",
    mig: Annotated[
        list[str] | None, typer.Option(help="Profile of a MIG instance of each GPU; may be repeated.")
    ] = None,
) -> None:
    """Write the file of an idle node."""
    state.write(file, products.node(node, gpus, product=product, mig=tuple(mig or ())))


@app.command(name="set")
def change(
    file: StateFile,
    gpu: Annotated[int, typer.Argument(help="Index of the GPU.", min=0)],
    fields: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="Such as healthy=no gpu_percent=90.")],
) -> None:
    """Change readings of a GPU."""
    state.write(file, state.changed(state.read(file), gpu, fields))


@app.command()
def check(file: StateFile) -> None:
    """Say what a device plugin would offer, or what is wrong with the file."""
    for resource, devices in offers(state.read(file)).items():
        typer.echo(f"{resource}: {len(devices)}, {sum(device.healthy for device in devices)} of them healthy")


@app.command()
def library() -> None:
    """Build the library if need be, and say where it is."""
    typer.echo(nvml_library.ensure())


@app.command()
def plugin(
    file: StateFile,
    kubelet: Annotated[
        Path, typer.Option(help="The kubelet's folder of device plugins.", exists=True, file_okay=False)
    ] = Path("/var/lib/kubelet/device-plugins"),
    library_on_node: Annotated[
        Path | None, typer.Option(help="The fake library on the node: containers with devices get it, and the state.")
    ] = None,
    state_on_node: Annotated[
        Path | None, typer.Option(help="The state file on the node, if this process sees it elsewhere.")
    ] = None,
) -> None:
    """Run the device plugin until SIGTERM."""
    nvml = FakeNvml(library_on_node.absolute(), (state_on_node or file).absolute()) if library_on_node else None
    asyncio.run(serving.run(file, kubelet, nvml))


def main() -> None:
    """Run, and say mistakes in one line."""
    try:
        app()
    except (state.StateError, LabError) as problem:
        typer.echo(f"fake_gpus: {problem}", err=True)
        raise SystemExit(1) from problem


if __name__ == "__main__":
    main()
