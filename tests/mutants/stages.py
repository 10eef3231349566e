"""Which tests are asked about a change, and in which order: the nearest files first."""

import re
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
ALL = ("ops", "reference", "peers", "models", "data", "train")
EXPORTS = "test_onnx.py"  # takes minutes: only for variants of the export itself
DEFINED = re.compile(r"^(?:def|class) ([A-Za-z]\w+)", re.MULTILINE)


def stages(package: Path, tests: Path, variant: Variant) -> list[list[Path]]:
    """Test files of the module's name in its own folder, others that name it, and the rest."""
    changed = package / variant.file
    folders = SEEN_BY.get(changed.parent.name, ALL)
    files = [path for folder in folders for path in sorted((tests / folder).glob("test_*.py"))]
    files = [path for path in files if path.name != EXPORTS or changed.stem in EXPORTS]
    naming = tests_naming(changed, package, files)
    near = [path for path in files if changed.stem in path.stem or path in naming]

    def distance(path: Path) -> tuple[bool, bool, bool]:
        foreign = path.parent.name != folders[0]
        return foreign, changed.stem not in path.stem, path.stem != f"test_{changed.stem}"

    near.sort(key=distance)
    own = [path for path in near if not any(distance(path)[:2])]
    return [own, near[len(own) :], [path for path in files if path not in near]]


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
