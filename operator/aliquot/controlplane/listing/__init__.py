"""Lists: which objects (`filters`), in which order, which part of them (`pages`)."""

from aliquot.controlplane.listing.filters import Field, Kind, Term, conditions, parse
from aliquot.controlplane.listing.pages import Listed, counted, listed, ordered, written

__all__ = ["Field", "Kind", "Listed", "Term", "conditions", "counted", "listed", "ordered", "parse", "written"]
