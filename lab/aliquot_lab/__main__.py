"""`python -m aliquot_lab` is `aliquot-lab`."""

from aliquot_lab.main import app

app()
