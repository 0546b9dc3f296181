"""cluster.yml as RKE defined it, every key of every version, and the keys that rkx adds; data, not behaviour.

The classes are decoded into and read once, neither compared nor printed: Python makes such ones in a third of the time.
"""
