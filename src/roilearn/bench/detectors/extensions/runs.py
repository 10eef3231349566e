"""What the runs share: scenes, a trained model to start from, settings, and AP of boxes."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from roilearn.data import ShapeScenes
from roilearn.models import FasterRCNN, faster_rcnn_tiny, load_model
from roilearn.reference.detection.average_precision import accumulate
from roilearn.reference.detection.detection_matching import evaluate_image
from roilearn.train import Settings, train
from roilearn.train.evaluation.evaluate import as_arrays, evaluation_mode

CLASSES = 4
HELD_OUT = 50
"""Scenes on which models are evaluated; their photographs are in no training scene."""
SIZE = 96
"""Side in pixels of the scenes, three quarters of what SHAPES was trained on: it saves time."""
QUARTER: dict[str, Any] = {
    "widths": (8, 16, 32),
    "channels": 12,
    "box_layers": (12,),
    "representation_size": 32,
}
"""Options of a detector with a quarter of the channels of SHAPES."""
LARGE: dict[str, Any] = {"objects": (1, 2), "radii": (18.0, 36.0)}
"""Options of scenes with few objects, none small: in them a short run learns enough to compare."""
HELD_OUT_SEED = 1_000_000
BATCH = 4


def held_out(seed: int = HELD_OUT_SEED, size: int = SIZE, **options: Any) -> ShapeScenes:
    """Scenes to evaluate on."""
    return ShapeScenes(HELD_OUT, size, seed, "held out", **options)


def trained_model() -> FasterRCNN:
    """Load SHAPES, the model that comes with the package, without its mask head."""
    model: Any = load_model("SHAPES")[0]
    heads = model.roi_heads
    heads.mask_roi_pool = heads.mask_head = heads.mask_predictor = None
    model.transform.min_size = (SIZE,)
    return model


def small_model(seed: int) -> FasterRCNN:
    """Build a detector with a quarter of the channels, and the random weights of a seed."""
    torch.manual_seed(seed)
    return faster_rcnn_tiny(CLASSES, min_size=SIZE, **QUARTER)


def train_quietly(model: nn.Module, scenes: Any, steps: int, seed: int, **settings: Any) -> None:
    """Train a model in place, without a moving average, which needs longer runs."""
    given = {"batch_size": BATCH, "ema_decay": 0.0, **settings}
    train(model, scenes, Settings(steps=steps, seed=seed, **given), progress=False)


def new_scenes(steps: int, seed: int, batch: int = BATCH, **options: Any) -> ShapeScenes:
    """As many training scenes as a run sees, each once."""
    return ShapeScenes(steps * batch, SIZE, seed, **options)


def box_metrics(model: nn.Module, scenes: ShapeScenes) -> dict[str, float]:
    """Compute AP of boxes over COCO's thresholds of IoU, and at 0.5, 0.75 and 0.9."""
    images = []
    with evaluation_mode(model):
        for image, target in (scenes[k] for k in range(len(scenes))):
            boxes = {name: target[name] for name in ("boxes", "labels")}
            (found,) = model([image])
            arrays = as_arrays(found, 0.5), as_arrays(boxes, 0.5)
            images.append(evaluate_image(*arrays, "boxes"))
    _, precision, _ = accumulate(images)
    by_iou = precision[:, :, :, 0, -1].mean((1, 2))  # [thresholds 0.5, 0.55, ..., 0.95]
    places = {"AP50": 0, "AP75": 5, "AP90": 8}
    return {"AP": np.mean(by_iou), **{name: by_iou[k] for name, k in places.items()}}


@torch.no_grad()
def features_and_boxes(model: Any, image: Tensor, target: Any) -> tuple[Any, list[Tensor], Any]:
    """Compute the maps of an image of ``SIZE``, its true boxes and its size, as heads take them."""
    batch, (resized,) = model.transform([image], [target])
    return model.backbone(batch.tensors), [resized["boxes"]], batch.sizes
