"""The one way in which a cluster speaks to its control plane (control-plane-api.md 5).

`client` asks and tells, `problems` says what can go wrong. What is said is in `aliquot.contracts.cluster_sync`. The
cluster always asks, over one address, with one secret; nothing is repeated here: whoever calls knows what still counts.
"""
