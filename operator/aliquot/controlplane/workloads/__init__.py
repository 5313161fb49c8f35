"""Workloads and their pods, as clusters tell of them; read only.

`rules` is pure: from what a cluster says to what is kept. `queries` and `shown` make what the API shows of it.
"""
