"""What the command line and embedders call."""
