"""Real nodes in a lab: kubelets with containerd, runc and pods that run, without Docker.

Each is a set of namespaces whose process 1 starts what runs on a node; seen from inside nothing is different from a
machine. `fleet.real_nodes` has some for a `with` block, `fleet.add` and `fleet.remove` do so by hand.

| module | |
|---|---|
| `fleet` | nodes come and go |
| `node` | the handle on one: power, kubelet, images, sockets |
| `host` | whether this machine can have any |
| `programs`, `images` | what runs on them |
| `network` | addresses, and the process that is their switch |
| `machine`, `files` | what a node is, and what its programs read |
| `boot`, `init` | its processes |
"""
