"""Settings of a tenant, which its administrators change. Those of the process are in `controlplane.settings`."""
