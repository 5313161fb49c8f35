"""The one way to speak to a Kubernetes API server; knows no GPU.

`config` finds the server and our credentials, `transport` and `client` send requests, `problems` says what can go
wrong; `informer` keeps caches, `work_queue` orders what is to be done, `lease` elects a leader, `recorder` writes
Events. `resources` has the kinds and their paths.

Any process may import from here; import the module that you need. Seconds everywhere; namespaces are empty for
cluster-wide kinds. Nothing heavy is loaded at import: the `kubernetes` package only when `config` is asked.
"""
