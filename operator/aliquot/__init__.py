"""Aliquot: fair shares of GPUs for Kubernetes."""
