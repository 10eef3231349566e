"""Write the map of the detector, once for each place that can be marked on it, to `book/images`.

python book/tools/draw_detector_map.py
"""

import sys
from pathlib import Path

BOOK = Path(__file__).parents[1]
sys.path.insert(0, str(BOOK / "_ext"))

from roilearn_book import detector_map  # noqa: E402 - the extension's folder is on the path now

if __name__ == "__main__":
    for stage in (None, *detector_map.STAGES):
        path = BOOK / "images" / detector_map.file_name(stage)
        path.write_text(detector_map.as_file(stage), encoding="utf-8")
