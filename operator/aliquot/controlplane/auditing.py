"""Objects as audit records keep them."""

from typing import Any

from aliquot.contracts.administrator_api.shapes import Answer


def document(shown: Answer) -> dict[str, Any]:
    """An object as the API shows it: no secrets are in that."""
    return shown.model_dump(mode="json", by_alias=True)
