"""One object at a time: what is, compared with what should be, and the next writes that bring them together.

Each reconciler is level-triggered and idempotent: it may be called at any time, and any number of times.
"""
