"""Run the builder: `python3 -m rkx_images build|list|pins|digest|modules`."""

import sys

from rkx_images.cli import main

sys.exit(main(sys.argv[1:]))
