"""Which tests are asked about a change, and in which order: the nearest files first."""

import re
from importlib.util import find_spec
from pathlib import Path

from variant import Variant

# Folder of the package -> folders of tests that can see a change in it, its own first.
SEEN_BY = {
    "reference": ("reference", "peers", "models", "ops"),
    "ops": ("ops", "peers"),
    "kernels": ("kernels",),
    "models": ("models", "reference", "peers", "train"),
    "data": ("data", "train"),
    "train": ("train",),
}
ALL = ("ops", "reference", "peers", "models", "data", "train", "kernels")
EXPORTS = "test_onnx.py"  # takes minutes: only for variants of the export itself
ELSEWHERE = ("test_compile.py", "test_on_gpu.py", "test_without_installing.py")
"""Tests of kernels that run in another process, for minutes, or on a GPU: for no variant."""
TRITON = find_spec("triton") is not None  # it exists for Linux alone
DEFINED = re.compile(r"^(?:def|class) ([A-Za-z]\w+)", re.MULTILINE)


def stages(package: Path, tests: Path, variant: Variant) -> list[list[Path]]:
    """Tests that the variant names, or files of its module's name; others near it; and the rest."""
    changed = package / variant.file
    folders = SEEN_BY.get(changed.parent.name, ALL)
    files = [path for folder in folders for path in sorted((tests / folder).glob("test_*.py"))]
    files = [path for path in files if path.name != EXPORTS or changed.stem in EXPORTS]
    files = [path for path in files if path.parent.name != "kernels" or can_run(path)]
    naming = tests_naming(changed, package, files)
    near = [path for path in files if changed.stem in path.stem or path in naming]

    def distance(path: Path) -> tuple[bool, bool, bool]:
        foreign = path.parent.name != folders[0]
        return foreign, changed.stem not in path.stem, path.stem != f"test_{changed.stem}"

    near.sort(key=distance)
    rest = [path for path in files if path not in near]
    if variant.first:
        return [[tests / variant.first], near, rest]
    own = [path for path in near if not any(distance(path)[:2])]
    return [own, near[len(own) :], rest]


def can_run(kernel_test: Path) -> bool:
    """Whether a file of tests runs kernels in the process that reads it."""
    return TRITON and kernel_test.name not in ELSEWHERE


def tests_naming(changed: Path, package: Path, tests: list[Path]) -> list[Path]:
    """Tests that name what the changed module defines; if none does, what its users define."""
    sources = {path: path.read_text() for path in package.rglob("*.py")}
    modules: list[Path] = []
    found: list[Path] = []
    users = [changed]
    while users and not found:
        modules += users
        names = "|".join(name for path in users for name in DEFINED.findall(sources[path]))
        named = re.compile(rf"\b({names})\b(?!=)" if names else "$^")
        found = [path for path in tests if named.search(path.read_text())]
        folders = [".".join(path.relative_to(package.parent).parent.parts) for path in users]
        own = [f"{folder}.{path.stem} import" for folder, path in zip(folders, users, strict=True)]
        # A package hands on the names of its files.
        shared = [f"{folder} import" for folder in folders]
        users = [
            path
            for path, source in sources.items()
            if path not in modules
            and (
                any(line in source for line in own)
                or (named.search(source) and any(line in source for line in shared))
            )
        ]
    return found
