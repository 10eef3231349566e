"""Which tests are asked about a change, and in which order: the nearest files first."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from record import Record, relatives
from trial import Round
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


def rounds(package: Path, root: Path, record: Record, variant: Variant) -> Iterator[Round]:
    """Give the test that caught the variant last time; and if it does not, the search for another.

    The search asks the test that the variant names, those that caught other variants of its module,
    files of the module's name, others near it, and the rest.
    """
    if row := record.get((variant.file, variant.name)):
        yield these({row.test}, row.place, root)
    if variant.first:
        yield Round("near", [root / "tests" / variant.first])
    yield these(relatives(record, variant), "near", root)
    own, near, rest = stages(package, root / "tests", variant)
    yield from (Round("near", own), Round("near", near), Round("far", rest))


def these(tests: set[str], place: str, root: Path) -> Round:
    """Round of single tests, as far as their files are there."""
    files = {root / test.partition("::")[0] for test in tests}
    return Round(place, sorted(filter(Path.is_file, files)), only=frozenset(tests))


def stages(package: Path, tests: Path, variant: Variant) -> list[list[Path]]:
    """Files of tests of the module's name; others near it; and the rest."""
    changed = package / variant.file
    folders = SEEN_BY.get(Path(variant.file).parts[0], ALL)
    files = [path for folder in folders for path in sorted((tests / folder).rglob("test_*.py"))]
    files = [path for path in files if path.name != EXPORTS or changed.stem in EXPORTS]
    files = [path for path in files if room(path, tests) != "kernels" or can_run(path)]
    naming = tests_naming(changed, package, files)
    near = [path for path in files if changed.stem in path.stem or path in naming]

    def distance(path: Path) -> tuple[bool, bool, bool]:
        foreign = room(path, tests) != folders[0]
        return foreign, changed.stem not in path.stem, path.stem != f"test_{changed.stem}"

    near.sort(key=distance)
    rest = [path for path in files if path not in near]
    own = [path for path in near if not any(distance(path)[:2])]
    return [own, near[len(own) :], rest]


def room(path: Path, tests: Path) -> str:
    """Folder of ``tests`` in which a file stands, however deep."""
    return path.relative_to(tests).parts[0]


@cache
def read(path: Path) -> str:
    """Text of a file, read once."""
    return path.read_text()


def can_run(kernel_test: Path) -> bool:
    """Whether a file of tests runs kernels in the process that reads it."""
    return TRITON and kernel_test.name not in ELSEWHERE


def tests_naming(changed: Path, package: Path, tests: list[Path]) -> list[Path]:
    """Tests that name what the changed module defines; if none does, what its users define."""
    sources = {path: read(path) for path in package.rglob("*.py")}
    modules: list[Path] = []
    found: list[Path] = []
    users = [changed]
    while users and not found:
        modules += users
        names = "|".join(name for path in users for name in DEFINED.findall(sources[path]))
        named = re.compile(rf"\b({names})\b(?!=)" if names else "$^")
        found = [path for path in tests if named.search(read(path))]
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
