"""Files in the folder of a run: its lock, checkpoints and loss log.

In reading order: ``run_lock``; ``checkpoint_header``, ``checkpoint``; ``loss_log``,
``validation_log``, ``loss_curves``; ``run_files``, which writes them all.
"""
