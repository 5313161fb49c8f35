"""The admission webhook, `aliquot webhook`: a process of its own beside the operator, every replica the same.

    API server ──HTTPS──▶ server ─▶ questions ─▶ core.admission.review ─▶ answer
                             ▲            └─ knowledge: informers of namespaces, projects, departments, node pools
                             └─ custodian: certificate in a Secret, its authority in the ValidatingWebhookConfiguration

Nothing hangs on it: the API server goes on without an answer (failurePolicy Ignore), and the reconcilers refuse again.
Why it is no part of the operator's process: docs/decisions/0005.
"""
