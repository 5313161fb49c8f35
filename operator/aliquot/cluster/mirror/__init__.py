"""What we know of the cluster: caches with the newest object by resource version, and indexes over them.

Changed only by what the API server said (events, lists, answers to our own writes). One event loop, no locks.
"""
