"""Who runs where: `decide(state, now) -> Plan`, a pure function over a `ClusterState` that events keep up to date.

Deciding changes nothing; what a plan changes comes back as events. Same state, same plan. Source of the rules:
scheduling.md section 2. The operator's `cluster.scheduler` is the caller.
"""
