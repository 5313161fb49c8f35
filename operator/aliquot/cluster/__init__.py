"""The operator process: what watches, decides through `core`, and writes through `kube`.

`handlers` is kopf, and only kopf; `mirror` is what we know of the cluster, filled by `sources`; `triggers` turn its
changes into work; `reconcilers` bring one object at a time to what it should be; `feed` tells the `scheduler`, which
runs rounds; `granting` carries out their plans; `announcer` tells people; `term` wires it all for as long as this
process leads; `main` is the process.
"""
