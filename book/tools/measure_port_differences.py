"""Record where the ports with one mistake begin to differ, for the live figure of chapter 15.

    python book/tools/measure_port_differences.py

Both the SHAPES model and each of `roilearn.models.broken_port` see the example scene; the
differences are those of `roilearn.models.compare_layers`. Written is `layer_differences.json` in
`src/roilearn/explore`, whose live figures load no PyTorch.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from roilearn import explore
from roilearn.data import example_scene
from roilearn.models import broken_port, compare_layers, load_model
from roilearn.models.comparison.broken_ports import FAULTS, PORTS

FILE = Path(explore.__file__).with_name("layer_differences.json")
STAGES = (
    "transform",
    "backbone.body.conv1",
    "backbone.body.bn1",
    "backbone.body.layer1",
    "backbone.body.layer2",
    "backbone.body.layer3",
    "backbone.fpn",
    "rpn.anchor_generator",
    "rpn.head",
    "rpn",
    "roi_heads.box_roi_pool",
    "roi_heads.box_head",
    "roi_heads.box_predictor.cls_score",
    "roi_heads",
)
SURE = 0.5  # detections with a score above this are counted


def text_of(difference: float) -> str:
    """Write a difference with one digit."""
    if math.isinf(difference):
        return "other size"
    return "0" if difference == 0 else f"{difference:.0e}".replace("e-0", "e-").replace("e+00", "")


def count_of(model: nn.Module, image: Tensor) -> int:
    """Count the detections with a score above one half."""
    with torch.no_grad():
        return int((model([image])[0]["scores"] > SURE).sum())


def measure() -> dict[str, Any]:
    """Compare every port with the right model, as the file has it."""
    model = load_model("SHAPES")[0].eval()
    image, _ = example_scene()
    ports = {}
    for letter, word in PORTS.items():
        port = broken_port(letter, model)
        found = compare_layers(model, port, [image])
        rows = []
        for stage in STAGES:
            row = found[stage]
            inside = row.verdict == "made here" and found.first is not row
            rows.append(
                {
                    "difference": None if math.isinf(row.difference) else round_to(row.difference),
                    "text": text_of(row.difference),
                    "input_text": text_of(row.input_difference),
                    "verdict": "made inside" if inside else row.verdict,
                }
            )
        fault = (FAULTS[word].__doc__ or "").strip()
        fault = f"{fault[0].lower()}{fault[1:]}"
        ports[letter] = {"fault": fault, "detections": count_of(port, image), "rows": rows}
    names = [stage.removeprefix("backbone.").removeprefix("roi_heads.") for stage in STAGES]
    return {"stages": names, "detections": count_of(model, image), "ports": ports}


def round_to(number: float, digits: int = 3) -> float:
    """Round to significant digits."""
    return float(f"{number:.{digits - 1}e}")


if __name__ == "__main__":
    FILE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
