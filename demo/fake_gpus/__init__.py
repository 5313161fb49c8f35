"""GPUs that are not there, for tests and demos: what a node has is written in a file, and everything else follows it.

`model` says what a node can have, `state` writes and reads the file, `products` fills it with well-known cards.
`library` builds a `libnvidia-ml.so.1` that answers NVML calls from the file (`nvml/`, in C), `plugin` and `serving` are
a device plugin that offers the kubelet what the file has. The command line is `python -m demo.fake_gpus`; the manual
is docs/fake-gpus.md. Nothing of the platform imports this.
"""
