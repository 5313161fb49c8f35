"""`python -m aliquot` is `aliquot`."""

from aliquot.cli.main import app

app()
