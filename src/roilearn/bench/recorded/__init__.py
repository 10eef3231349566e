"""Recorded measurements: the tables of ``benchmarks/results``, read without torch.

In reading order: ``results`` (``cpu.csv``, ``gpu.csv``; reading and writing), ``load``
(quiet and busy), ``series`` (``curves.csv``, ``crossover.csv``), ``profiles``, ``ablation``,
``oracle_masks``, ``half_cell``, ``degradation``, ``missing_pieces``, ``mask_losses``,
``training_faults``, ``fine_tuning``, ``error_kinds``, ``ap_by_size`` and ``extensions``.
"""
