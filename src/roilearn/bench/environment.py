"""The environment of a measurement on the CPU: versions of the libraries, processor, threads."""

import importlib.util
import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def versions() -> str:
    """Versions of Python and of the libraries that are compared."""
    peers = [name for name in ("torch", "torchvision", "onnxruntime") if installed(name)]
    named = [f"{name} {version(name)}" for name in peers]
    return ", ".join([f"python {platform.python_version()}", *named])


def machine() -> str:
    """Processor and number of threads: what a ratio depends on, and nothing that names the host."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name}, {torch.get_num_threads()} threads on {os.cpu_count()} cores"


def installed(name: str) -> bool:
    """Whether an optional package is installed."""
    return importlib.util.find_spec(name) is not None
