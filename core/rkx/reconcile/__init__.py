"""From what is wanted and what is, to a plan; and from a plan to a running cluster."""
