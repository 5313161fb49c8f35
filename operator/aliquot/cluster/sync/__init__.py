"""The control plane's word and the cluster's custom resources, kept the same (control-plane-api.md 5).

    control plane ─▶ pull ─▶ keep ─▶ projects, departments, node pools, access rules ─▶ their reconcilers
                        └──▶ orders ─▶ workloads      │ statuses, nodes
    control plane ◀─ push ◀────────── telling ◀───────┴── workloads, pods, Events, outcomes of orders

`manifests`, `reported` and `reported_workloads` are pure: what is desired as specs of custom resources, and what is in
the cluster as what is reported. `happenings` says which Events are told, and when; `kin`, whose they are. `orders`
carries out what is to be done once. `room` wires everything, for a term, where a control plane is configured. What goes
wrong there is told by `connection` and disturbs nobody: the custom resources are all that the rest of the operator
knows.
"""
