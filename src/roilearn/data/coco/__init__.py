"""Data sets in COCO's format, read, validated and written.

In reading order: ``dataset`` (``CocoFolder``), ``records``, ``image_records``, ``annotations``,
what a file lists; ``segmentation``, ``polygons``, ``keypoints``, what an annotation holds;
``fault_report``, what was found to be wrong; ``export``, writing a data set.
"""

from roilearn.data.coco.dataset import CocoFolder

__all__ = ["CocoFolder"]
