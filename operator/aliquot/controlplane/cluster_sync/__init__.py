"""What clusters and the control plane say to each other (`aliquot.contracts.cluster_sync`).

`desired` makes what a cluster is to have out of the database, `reports` keeps what it says of itself; the rules of both
are pure, in `rules`. `waiting` has requests wait for changes without keeping a thread or a connection.
"""
