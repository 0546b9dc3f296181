"""Print what a plugin describes, for the law that asks it of two processes: ``STAGE:NAME OPTIONS``."""

from __future__ import annotations

import json
import sys

from rkx.testing.conformance.shown import described, text
from rkx.testing.conformance.subject import load

if __name__ == "__main__":
    sys.stdout.write(text(described(load(sys.argv[1], json.loads(sys.argv[2])))))
