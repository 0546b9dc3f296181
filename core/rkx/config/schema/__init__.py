"""cluster.yml as RKE defined it, every key of every version, and the keys that rkx adds; data, not behaviour."""
