"""The older surface, `/v1/k8s`: what its bodies and answers look like (control-plane-api.md 1.3 to 1.5).

Ids are whole numbers, lists bare arrays, memory is MiB. Bodies are tolerant: clients send back what they were shown,
with members that nobody can change. Names of models begin with `Older`, as those of the newer surface are beside them.
"""
