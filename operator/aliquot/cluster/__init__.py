"""The operator process: what watches, decides through `core`, and writes through `kube`.

`handlers` is kopf, and only kopf; `mirror` is what we know of the cluster; `reconcilers` bring one object at a time to
what it should be; `scheduler` runs rounds; `granting` carries out their plans; `main` wires it all.
"""
