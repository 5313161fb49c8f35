"""Which nodes a task fits on, and which of them is best."""
