"""Who asks, and what they may do.

    signing in   `sign_in` checks a secret or password (`passwords`, `throttle`) → `tokens`, signed by a key of `keys`
    a request    token → `Gate` → `Permit` for one action on one type of resource
    a cluster    uuid and secret → `ClusterGate` → `ClusterPermit` for what is its own

Permits are the only ways to the database that a room has, and only gates make them: so no query can forget whose
objects it is about. `reach` says how far the caller's rights go, as pure values.
"""
