"""Degradation: deeper plain networks train worse, and residual networks do not.

Networks of 14 and of 50 layers classify scikit-learn's scanned digits, 8 x 8 pixels. The residual
networks consist of ``roilearn.models.IdentityBlock``; in the plain ones the shortcut is left out,
and nothing else. All have the same number of channels and the same resolution in every layer. Runs
of one seed and depth begin with the same weights and see the images in the same order.

    python -m roilearn.bench.detectors.degradation

What has been recorded is not trained again.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from math import ceil
from multiprocessing import get_context
from statistics import mean
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from roilearn.bench.environment import versions
from roilearn.bench.recorded.degradation import (
    BLOCKS,
    EPOCHS,
    FILE,
    LAYERS,
    MANY_EPOCHS,
    Degradation,
    last_epochs,
    read_degradation,
)
from roilearn.bench.recorded.results import write
from roilearn.models import IdentityBlock, basic_branch

SEEDS = (0, 1, 2)
TRAINING_IMAGES = 1400
BATCH_SIZE = 100
LEARNING_RATE = 0.05
CHANNELS = 8


class PlainBlock(IdentityBlock):
    """relu(branch(x)): an identity block without its shortcut."""

    def forward(self, features: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """Apply the branch, and add nothing."""
        return relu(self.branch(features))


class Digits(NamedTuple):
    """Scanned digits with their classes."""

    images: Float[Tensor, "N 1 8 8"]
    classes: Int[Tensor, " N"]


def load_split() -> tuple[Digits, Digits]:
    """Load the training images and the held-out ones, in one random order for all runs."""
    digits: Any = load_digits()
    images = torch.as_tensor(digits.images, dtype=torch.float32)[:, None] / 16
    classes = torch.as_tensor(digits.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    parts = order.split([TRAINING_IMAGES, len(images) - TRAINING_IMAGES])
    training, held_out = (Digits(images[part], classes[part]) for part in parts)
    return training, held_out


def make_network(block: str, layers: int, channels: int = CHANNELS) -> nn.Sequential:
    """Build a convolution, blocks of two each, the mean over all cells and a linear layer."""
    kind = IdentityBlock if block == "residual" else PlainBlock
    blocks = [kind(basic_branch(channels, channels)) for _ in range((layers - 2) // 2)]
    first = nn.Conv2d(1, channels, 3, padding=1, bias=False)
    network = nn.Sequential(
        *(first, nn.BatchNorm2d(channels), nn.ReLU(), *blocks),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)),
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def train_network(
    block: str, layers: int, seed: int, epochs: int = EPOCHS
) -> Iterator[Degradation]:
    """Train one network; after each pass over the images, give its errors."""
    torch.manual_seed(seed)
    training, held_out = load_split()
    network = make_network(block, layers)
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE, 0.9, weight_decay=1e-4)
    steps = epochs * ceil(TRAINING_IMAGES / BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = torch.Generator().manual_seed(seed)
    for epoch in range(1, epochs + 1):
        found = []
        for part in torch.randperm(TRAINING_IMAGES, generator=order).split(BATCH_SIZE):
            batch = Digits(training.images[part], training.classes[part])
            found.append(training_step(network, batch, optimizer))
            schedule.step()
        loss, error = (mean(values) for values in zip(*found, strict=True))
        after = (error_of(network, digits) for digits in (training, held_out))
        done = (block, layers, seed, epochs, epoch)
        yield Degradation(*done, loss, error, *after, versions=versions())


def training_step(
    network: nn.Module, batch: Digits, optimizer: torch.optim.Optimizer
) -> tuple[float, float]:
    """Take one optimizer step; return the loss and the error before it."""
    network.train()
    scores = network(batch.images)  # [N, 10]
    loss = cross_entropy(scores, batch.classes)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), share_of_wrong(scores, batch.classes)


@torch.no_grad()
def error_of(network: nn.Module, digits: Digits) -> float:
    """Compute the fraction of images that the network classifies wrongly."""
    network.eval()
    return share_of_wrong(network(digits.images), digits.classes)


def share_of_wrong(scores: Float[Tensor, "N 10"], classes: Int[Tensor, " N"]) -> float:
    """Compute the fraction of images whose class does not have the highest score."""
    return (scores.argmax(dim=1) != classes).float().mean().item()


def list_runs() -> list[tuple[str, int, int, int]]:
    """List the block, layers, seed and passes of every run."""
    runs = [(block, layers, seed, EPOCHS) for seed, layers, block in product(SEEDS, LAYERS, BLOCKS)]
    return runs + [("plain", max(LAYERS), seed, MANY_EPOCHS) for seed in SEEDS]


def run_one(run: tuple[str, int, int, int]) -> list[Degradation]:
    """Train one network in this process, on one thread."""
    torch.set_num_threads(1)
    return list(train_network(*run))


def format_rows(rows: list[Degradation]) -> Iterator[str]:
    """Lay out the errors after the last pass: two lines for each network."""
    for epochs in (EPOCHS, MANY_EPOCHS):
        for (block, layers), found in last_epochs(rows, epochs).items():
            for name in ("training_error", "held_out_error"):
                numbers = "  ".join(f"{100 * getattr(row, name):5.1f} %" for row in found)
                yield f"{block:8} {layers:2} layers, {epochs} passes  {name:14} {numbers}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train plain and residual networks.")
    parser.add_argument("--jobs", type=int, default=2, help="networks trained at a time")
    recorded = read_degradation()
    done = {(row.block, row.layers, row.seed, row.epochs) for row in recorded}
    runs = [run for run in list_runs() if run not in done]
    with ProcessPoolExecutor(parser.parse_args().jobs, get_context("spawn")) as pool:
        for rows in pool.map(run_one, runs):
            recorded += rows
            write(recorded, FILE, Degradation)
    print("\n".join(format_rows(recorded)))  # noqa: T201
