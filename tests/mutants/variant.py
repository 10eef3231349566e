"""Wrong variants of the package: where they are listed, and how one is made."""

import compileall
import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Variant:
    """A mistake that somebody has made, as one text replaced in one file of the package.

    ``first`` names a file of tests, or one test as pytest does, to be asked before all others.
    """

    name: str
    file: str
    old: str
    new: str
    first: str = ""


UNCHANGED = Variant("(unchanged)", "", "", "")


def listed(folder: Path) -> list[Variant]:
    """Variants of every list in ``folder``: one table a file, name = [old text, new text],
    and perhaps the tests to ask first.

    The quick ones, of training and the reference, come first: by then it is known how long each
    test takes.
    """
    tables = [
        tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"), reverse=True)
    ]
    return [
        Variant(name, file, *texts)
        for table in tables
        for file, changes in table.items()
        for name, texts in changes.items()
    ]


def compiled_copy(package: Path, folder: Path) -> Path:
    """Copy the package into ``folder``, with the bytecode of every file."""
    copy = folder / package.name
    shutil.copytree(package, copy)
    compileall.compile_dir(copy, quiet=2)
    return copy


def write_variant(package: Path, folder: Path, variant: Variant) -> None:
    """Put the package into ``folder`` with the variant's text replaced, and its bytecode.

    Unchanged files are hard links: nothing is copied or compiled but the one that changes.
    """
    copy = folder / package.name
    shutil.copytree(package, copy, copy_function=os.link)
    if variant == UNCHANGED:
        return
    file = copy / variant.file
    text = file.read_text()
    if text.count(variant.old) != 1:
        message = f"its text stands {text.count(variant.old)} times in {variant.file}, not once"
        raise ValueError(message)
    for stale in [file, *(file.parent / "__pycache__").glob(f"{file.stem}.*.pyc")]:
        stale.unlink()  # the name, and not what it has in common with the unchanged package
    file.write_text(text.replace(variant.old, variant.new))
    compile(file.read_text(), str(file), "exec")
