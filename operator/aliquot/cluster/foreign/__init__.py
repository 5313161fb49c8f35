"""Pods of workloads that are not ours, scheduled as their kind asks for (docs/foreign-workloads.md).

    owners   which kinds are served, and their objects       seats    where pods belong, by their owners
    tops     the workload that people made                   reports  ExternalWorkloads, which say how it is doing
    topologies  how close nodes are to one another          room     all of it, for a term

What a kind asks for is decided in `core.intake.group_table`.
"""
