"""Workloads that are submitted over REST, and what their clusters are told to do (docs/decisions/0018).

`rendering`, `items`, `gpus` and `rules` are pure: from a spec to the parameters of the custom resource, and which order
follows from what somebody asks for. `made` has what is kept and shown of a submission.
"""
