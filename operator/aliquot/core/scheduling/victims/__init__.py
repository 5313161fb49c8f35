"""Who may be stopped for whom, and the fewest of them that make room."""
