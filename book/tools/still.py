"""Draw the README's picture anew: `python book/tools/still.py [file]`."""

import sys
from pathlib import Path

from roilearn.explore import PoolAndAlign

PICTURE = Path(__file__).parents[1] / "images" / "pool_and_align.png"

if __name__ == "__main__":
    PoolAndAlign().still(sys.argv[1] if len(sys.argv) > 1 else PICTURE)
