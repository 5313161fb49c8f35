"""Policies of workloads in tenants, clusters, departments and projects (docs/decisions/0019).

`documents`, `rendering`, `judging` and `compliance` are pure: what several scopes say becomes what counts in one, and
that the policy of a cluster; a policy that no workload could keep is refused, and a workload that does not keep one.
"""
