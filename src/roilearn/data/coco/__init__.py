"""Data sets in COCO's format, read, validated and written.

In reading order: ``dataset`` (``CocoFolder``), ``contents``, ``records``, ``image_records``,
``annotations``, what a file lists; ``plain_numbers``, ``box_formats``, ``segmentation``,
``polygons``, ``keypoints``, what an annotation holds; ``fault_report`` and ``notes``, what was
found; ``shrinking``, large images; ``overview``, counts; ``export``, writing a data set.
"""

from roilearn.data.coco.dataset import CocoFolder

__all__ = ["CocoFolder"]
