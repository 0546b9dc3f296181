"""Build rkx's container images from published packages, without a Docker Engine."""
