"""Node types: names for nodes, by the label `run.ai/type`. Only the older surface makes them."""
