"""Projects: teams with their own share of the GPUs."""
