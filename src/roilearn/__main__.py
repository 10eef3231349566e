"""``python -m roilearn`` is the ``roilearn`` command."""

import sys

from roilearn.cli import main

sys.exit(main())
