"""The Administrator API: what its bodies, answers and queries look like, and who may do what.

One module for each resource; `shapes` has what they are built from, `permissions` the roles and their matrix. Nothing
here does anything. Amounts are devices, milli-CPU and MiB, MB or GB; times RFC 3339 in UTC. Source:
control-plane-api.md, sections 1.1, 1.2, 1.4, 2.3, 2.4 and 4.2.
"""
