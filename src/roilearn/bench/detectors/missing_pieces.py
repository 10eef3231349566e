"""Missing pieces: what the SHAPES model finds without the branch or the shortcut of one block.

Each identity block of the backbone loses one piece at a time, without any new training. Objects are
counted on scenes whose photographs the model never saw.

    python -m roilearn.bench.detectors.missing_pieces
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from roilearn import data, models, ops
from roilearn.bench.environment import versions
from roilearn.bench.recorded.missing_pieces import FILE, PIECES, MissingPiece
from roilearn.bench.recorded.results import write

SCENES = 60
SEED = 11
SIZE = (128, 160)
ABOVE = 0.5

Scene = tuple[Tensor, dict[str, Tensor]]


def identity_blocks(body: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Name the blocks of a body that keep their input's shape."""
    for name, block in body.named_modules():
        if type(block) is models.IdentityBlock:
            yield name, block


def take_out(block: nn.Module, piece: str) -> None:
    """Let the branch or the shortcut of a block give zeros."""
    setattr(block, piece, torch.zeros_like)


def put_back(block: nn.Module, piece: str) -> None:
    """Undo ``take_out``."""
    delattr(block, piece)


@torch.no_grad()
def count_found(model: nn.Module, scenes: Sequence[Scene]) -> int:
    """Count objects with a detection of their class whose score and IoU are above 0.5."""
    return sum(objects_found(model([image])[0], target) for image, target in scenes)


def objects_found(found: dict[str, Tensor], target: dict[str, Tensor]) -> int:
    """Count the objects of one image that are found."""
    sure = found["scores"] > ABOVE
    overlap = ops.box_iou(target["boxes"], found["boxes"][sure])  # [objects, detections]
    same = target["labels"][:, None] == found["labels"][sure]
    return int(((overlap > ABOVE) & same).any(dim=1).sum())


def count_without(model: nn.Module, scenes: Sequence[Scene]) -> Iterator[tuple[str, str, int]]:
    """Count with the whole model, then without each piece of each identity block of its body."""
    yield "none", "none", count_found(model, scenes)
    for name, block in identity_blocks(model.get_submodule("backbone.body")):
        for piece in PIECES:
            take_out(block, piece)
            yield name, piece, count_found(model, scenes)
            put_back(block, piece)


def measure(count: int = SCENES) -> Iterator[MissingPiece]:
    """Count on the first scenes of the recorded draw."""
    model, _ = models.load_model("SHAPES")
    model.eval()
    drawn = data.ShapeScenes(count, SIZE, seed=SEED, photographs="held out")
    scenes = [drawn[i] for i in range(count)]
    objects = sum(len(target["labels"]) for _, target in scenes)
    for name, piece, found in count_without(model, scenes):
        yield MissingPiece(name, piece, found, objects, count, versions())


if __name__ == "__main__":
    rows = list(measure())
    write(rows, FILE, MissingPiece)
    for row in rows:
        print(f"{row.block:9} without {row.piece:9} {row.found} of {row.objects}")  # noqa: T201
