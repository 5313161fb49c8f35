"""What `config` does: what commands take for granted that name no project or cluster (cluster-api.md 7.1)."""

import os
from dataclasses import replace

import typer

from aliquot.cli.failures import told
from aliquot.cli.preferences import read_preferences, write_preferences
from aliquot.cli.session import in_cluster, namespace_of
from aliquot.errors import UserError
from aliquot.kube.contexts import contexts


def choose_project(name: str) -> None:
    """Choose the project of commands that name none; it must be there."""
    in_cluster(lambda client: namespace_of(client, name))
    with told():
        write_preferences(os.environ, replace(read_preferences(os.environ), project=name))
    typer.echo(f"Project {name} has been set as default project")


def choose_cluster(name: str) -> None:
    """Choose the context of the kubeconfig; it must be there."""
    with told():
        every, _ = contexts(os.environ)
        known = sorted(each.name for each in every)
        if name not in known:
            raise UserError("cluster", name, f"a context of the kubeconfig: {', '.join(known) or 'it has none'}")
        write_preferences(os.environ, replace(read_preferences(os.environ), cluster=name))
    typer.echo(f"Set current cluster to {name}")
