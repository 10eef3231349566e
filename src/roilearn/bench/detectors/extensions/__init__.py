"""What each idea that plugs into a detector does, in short paired runs.

    python -m roilearn.bench.detectors.extensions [IDEA ...]

An idea is a file with ``STEPS``, ``VARIANTS`` and ``measure``: ``image_pyramid``, ``cascade``,
``keypoints``, ``multi_task``, ``distillation``, ``pretraining``, ``schedules``. ``runs`` has what
they share. Variants of one seed begin with the same weights wherever they have the same layers, and
see the same scenes.
"""
