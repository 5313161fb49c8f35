"""The command line `aliquot`."""
