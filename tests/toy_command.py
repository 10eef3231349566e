"""A command line of `roilearn train` that is over in moments."""

import json

TINY = {
    "widths": [8, 16, 16],
    "channels": 16,
    "representation_size": 16,
    "mask_layers": [16],
    "min_size": 64,
}


def tiny_command(folder, *words, options=TINY):
    """Arguments of a run of two steps of a tiny model."""
    sizes = ["--steps", "2", "--batch-size", "2"]
    always = [*sizes, "--workers", "0", "--ema-decay", "0.5"]
    always += (
        [] if "--coco" in words or "--validation-scenes" in words else ["--validation-scenes", "2"]
    )
    return ["train", str(folder), *always, "--model-options", json.dumps(options), *words]
