"""Nodes of clusters, as the clusters tell of them."""
