"""The older surface, `/v1/k8s`: routes that say the same things in other words (decision 17).

A module for each resource has its routes, and turns its shapes into those of the rooms, which do everything. `amounts`
and `rights` are pure: quotas, and what older roles are as access rules.
"""
