"""Clusters of Kubernetes, and how to install Aliquot on them."""
