"""A round: allocate, reclaim, preempt, and why everybody else waits."""
