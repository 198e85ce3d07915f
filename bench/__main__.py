"""`python -m bench COMMAND`, for where smoothswap-bench is not on the path."""

from __future__ import annotations

import sys

from bench.console import main

if __name__ == "__main__":
    sys.exit(main())
