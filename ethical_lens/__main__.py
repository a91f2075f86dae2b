"""`python -m ethical_lens`: the console script `ethical-lens`."""

import sys

from ethical_lens.console.command_line import main

if __name__ == "__main__":
    sys.exit(main())
