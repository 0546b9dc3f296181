"""Run with python -m rkx_cis."""

from rkx_cis.cli import main

main()
