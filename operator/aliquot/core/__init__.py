"""Decisions: values in, values out. Nothing here does I/O, reads a clock or draws a random number.

Rooms: `quantities` (what amounts mean), `submission` (a workload's effective spec, or errors that name the field),
`rendering` (spec → pods), `lifecycle` (what to create and delete next; phases), `tenancy` (projects and departments →
namespaces and queues), `intake` (Kubernetes objects → scheduling facts), `scheduling` (who runs where).
"""
