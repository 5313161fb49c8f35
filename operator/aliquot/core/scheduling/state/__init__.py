"""What the scheduler knows: kept up to date by events, copied into drafts that rounds may change."""
