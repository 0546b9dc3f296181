"""Run the command line as `python -m rkx_lab`."""

from rkx_lab.cli import main

main()
