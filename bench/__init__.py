"""`make bench`: Aliquot beside plain Jobs, in one lab, in one run. Speed is measured here, never in tests."""
