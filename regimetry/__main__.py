"""``python -m regimetry``."""

import sys

from regimetry.cli import main

if __name__ == "__main__":  # a spawned process imports this file under another name
    sys.exit(main())
