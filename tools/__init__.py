"""What the work on the project takes, and nothing that is installed."""
