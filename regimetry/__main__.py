"""``python -m regimetry``."""

import sys

from regimetry.cli import main

sys.exit(main())
