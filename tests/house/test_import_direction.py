"""The import contracts of pyproject.toml hold, and would notice a dependency the wrong way."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINTER = Path(sys.executable).with_name("lint-imports")


def broken_contracts(folder, pyproject):
    """Contracts that the package in ``folder`` breaks."""
    done = subprocess.run(
        [LINTER, "--config", pyproject, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    # After the verdict may stand how many imports a contract ignores.
    lines = [re.sub(r" \(\d+ ignored imports?\)$", "", x.strip()) for x in done.stdout.splitlines()]
    broken = {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}
    assert bool(broken) == bool(done.returncode), done.stdout + done.stderr
    return broken


def contracts(project):
    return {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def package(root, tmp_path):
    shutil.copytree(root / "src" / "roilearn", tmp_path / "roilearn")
    return tmp_path / "roilearn"


def test_no_contract_is_broken(root, package):
    assert broken_contracts(package.parent, root / "pyproject.toml") == set()


def test_every_contract_can_be_broken(root, package, project):
    wrong = {
        "reference/__init__.py": "import torch",
        "ops/__init__.py": "import roilearn.reference",
        "ops/tracing.py": "import roilearn.ops.dispatch",
        "exercises/__init__.py": "import torch",
        "explore/__init__.py": "import roilearn.patching",
        "plot/__init__.py": "import roilearn.bench",
        "kernels/__init__.py": "import roilearn.models",
        "models/__init__.py": "import roilearn.train",
        "data/__init__.py": "import roilearn.models",
        "train/__init__.py": "import roilearn.cli",
    }
    for path, line in wrong.items():
        file = package / path
        file.write_text(file.read_text() + f"\n{line}\n")
    assert broken_contracts(package.parent, root / "pyproject.toml") == contracts(project)
