"""`python -m clawgw` is the `clawgw` command."""

import sys

from clawgw.cli import main

if __name__ == "__main__":
    sys.exit(main())
