"""The limits of ``roilearn.patch()``: from how many channels and boxes on ours are faster.

``roilearn bench --crossover`` measures the ratio of torchvision's time to ours for some numbers of
channels and boxes; these limits are set where it passes 1. ``roilearn bench --busy 0`` measures few
boxes on a large map.
"""

from typing import NamedTuple


class OursFrom(NamedTuple):
    """From where on our operator is used: both numbers must be reached."""

    channels: int  # channels of the output
    outputs: int  # numbers of the output: boxes x channels x bins


OURS_FROM = {
    "roi_align": OursFrom(channels=32, outputs=150_000),
    "roi_pool": OursFrom(channels=128, outputs=600_000),
    "ps_roi_align": OursFrom(channels=8, outputs=60_000),
    "ps_roi_pool": OursFrom(channels=16, outputs=150_000),
}
"""Measured on two cores, by operator. Pooling keeps the maximum's place, so it needs more work."""
MAPS_TO_OUTPUT = 20
"""Numbers of the maps for each number of the output, up to which our pooling is used: it usually
lays out whole maps. torchvision's kernel touches only the cells that it reads."""
OURS_FROM_BOXES = 1500
"""Boxes of NMS from which on ours is used: with fewer that lie in heaps, torchvision is faster."""
