"""Who changed what: every change is written down in the transaction that makes it (`Permit.record`)."""
