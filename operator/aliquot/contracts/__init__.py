"""What the outside sees: shapes of objects, no behaviour.

`kinds` has the custom resources as pydantic models; `kubernetes` has the parts of Kubernetes' own objects that Aliquot
reads, as msgspec projections. Everyone may import from here; this room imports nothing but `names`.
"""
