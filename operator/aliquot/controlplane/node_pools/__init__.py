"""Node pools: nodes that are shared out on their own."""
