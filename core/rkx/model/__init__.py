"""Frozen values that core and plugins pass to each other."""
