"""Frozen values that core and plugins exchange."""
