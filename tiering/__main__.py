"""`python -m tiering`."""

import sys

from tiering.cli.entry import main

sys.exit(main())
