"""What there is and how it is doing: `list`, `describe` and the finding of a job by its name.

`jobs` reads objects, `rows` and `description` make text of them, all pure; `finding` asks the cluster.
"""
