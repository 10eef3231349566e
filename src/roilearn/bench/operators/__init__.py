"""Operators on the CPU: each implementation's time, peak memory and profile.

In reading order: ``implementations`` (calls that all compute the same), made by ``pooling``,
``multi_scale``, ``nms`` and ``paste_masks``; ``measure`` (their times on every workload);
``under_load`` (the same quiet and beside busy processes);
``curves`` (time against one varied number), ``peak_memory``, ``byte_floor`` and ``profiler``.
"""
