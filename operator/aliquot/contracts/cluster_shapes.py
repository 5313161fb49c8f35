"""What reports of clusters are built from: texts, amounts and counts with their bounds."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from aliquot.contracts.administrator_api.shapes import Answer

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Times of every zone in between are times of UTC."""

Text = Annotated[str, Field(max_length=1024)]
Message = Annotated[str, Field(max_length=4096)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253)]
Amount = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]
Amounts = Annotated[dict[Annotated[str, Field(max_length=253)], Amount], Field(max_length=64)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]


class ReportedCondition(Answer):
    """A condition, as Kubernetes has them."""

    type: Text
    status: Literal["True", "False", "Unknown"]
    reason: Text = ""
    message: Message = ""
    last_transition_time: Text | None = None
