"""Data sets in COCO's format, read, validated and written.

In reading order: ``dataset`` (``CocoFolder``), ``records``, ``image_records``, ``annotations``,
what a file lists; ``segmentation``, ``polygons``, ``keypoints``, what an annotation holds;
``validation``, the faults that are looked for; ``export``, writing a data set.
"""

from roilearn.data.coco.dataset import CocoFolder

__all__ = ["CocoFolder"]
