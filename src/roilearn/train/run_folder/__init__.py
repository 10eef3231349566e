"""Files in the folder of a run: its lock, checkpoints and loss log.

In reading order: ``run_lock``; ``checkpoint_header``, ``checkpoint``; ``loss_log``,
``loss_curves``.
"""
