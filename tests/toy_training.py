"""A model and data that train in milliseconds and use all that must be the same after a resume.

Run as a program it trains in a process of its own, to be killed or to be one of two.
"""

import argparse
import multiprocessing
import os
import signal
import socket
import sys
from dataclasses import replace

import torch
from torch import nn
from torch.utils.data import Dataset

from roilearn.models import FrozenBatchNorm2d, mask_rcnn_tiny
from roilearn.train import Settings, process_group, train

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows any signal ends a process at once


class Noise(Dataset):
    """Images of the item's brightness in random noise; the target is that brightness."""

    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        value = index / self.count
        return value + 0.1 * torch.randn(3, 6, 5), {"value": torch.tensor(value), "name": "noise"}


class Toy(nn.Module):
    """Convolution, running statistics and dropout; kills its process in the forward pass asked."""

    def __init__(self, kill_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Conv2d(4, 1, 3)
        )
        self.calls, self.kill_at = 0, kill_at

    def forward(self, images, targets):
        self.calls += 1
        if self.calls == self.kill_at:
            os.kill(os.getpid(), KILL)
        found = self.layers(torch.stack(images)).flatten(1)
        wanted = torch.stack([target["value"] for target in targets])
        error = found.mean(1) - wanted
        return {"loss_square": (error**2).mean(), "loss_spread": 0.1 * found.var()}


SETTINGS = Settings(steps=10, batch_size=4, save_every=5, seed=3)


def tiny():
    """Build the smallest Mask R-CNN, its normalisation fixed."""
    torch.manual_seed(0)
    sizes = {"widths": (8, 16, 16), "channels": 16, "representation_size": 16, "mask_layers": (16,)}
    model = mask_rcnn_tiny(4, **sizes, min_size=64, backbone_options={"zero_init_residual": False})
    for module in list(model.modules()):
        for name, part in module.named_children():
            if isinstance(part, nn.BatchNorm2d):
                setattr(module, name, FrozenBatchNorm2d(part.num_features))
    return model


TINY_SETTINGS = Settings(steps=3, batch_size=4, micro_batches=2, learning_rate=0.01)


class Broken(Noise):
    """Has an image that the second of two processes meets, and cannot read."""

    def __getitem__(self, index):
        if torch.distributed.get_rank() == 1:
            raise OSError("the image is broken")
        return super().__getitem__(index)


def be_one_of_two(rank, port, folder):
    """Train as ``torchrun`` would have it, on data that only the first process can read."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "toy"}
    os.environ.update(place, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.destroy_process_group = lambda: os._exit(3)  # on GPUs it may never return
    with process_group():
        train(Toy(), Broken(), replace(SETTINGS, micro_batches=2), folder, progress=False)


def fail_together(folder):
    """Start two processes, of which one fails, and print how each has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    both = [context.Process(target=be_one_of_two, args=(rank, port, folder)) for rank in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    print(*(process.exitcode for process in both))


def main():
    """Train the toy or the tiny model, as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--kill-at", type=int)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--fail-together", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.fail_together:
        fail_together(options.folder)
    elif options.tiny:
        from roilearn.data import ShapeScenes  # noqa: PLC0415

        with process_group():
            train(tiny(), ShapeScenes(20, size=64), TINY_SETTINGS, options.folder)
    else:
        train(Toy(options.kill_at), Noise(), SETTINGS, options.folder, progress=False)


if __name__ == "__main__":
    main()
