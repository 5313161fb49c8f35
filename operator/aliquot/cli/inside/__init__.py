"""Into the pods of a job: its logs, a command or shell beside it, its own input and output."""
