"""The wheel and the sdist: built, complete, installed into an empty environment, imported."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import roilearn


def pretend(site, name, version):
    """Put the metadata of a distribution into an environment: pip takes it for installed."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text("")


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built):
    (path,) = built.glob("*.tar.gz")
    return path


def test_the_wheel_carries_every_file_of_the_package(wheel, root):
    inside = set(zipfile.ZipFile(wheel).namelist())
    source = root / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "roilearn").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= inside
    assert {"roilearn/py.typed", "roilearn/__init__.pyi"} <= inside
    assert {name.split("/")[0] for name in inside} == {
        "roilearn",
        f"roilearn-{roilearn.__version__}.dist-info",
    }
    assert any(name.endswith(".mjs") for name in inside)


def test_the_wheel_carries_both_licences(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if "/licenses/" in name]
    assert sorted(name.rpartition("/")[2] for name in names) == ["LICENSE", "LICENSE-TEXT"]


def test_the_sdist_can_rebuild_the_book_and_run_the_tests(sdist, texts):
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in texts if not name.startswith(".")}
    assert wanted - inside == set()


def test_a_clean_environment_imports_the_wheel(wheel, clean_python, pip, fresh_python, root):
    pip(clean_python, "install", "--quiet", "-c", root / "constraints.txt", wheel)
    code = "from roilearn import reference; import roilearn; print(roilearn.__version__)"
    assert fresh_python(code, python=clean_python).strip() == roilearn.__version__
    installed = {
        package["name"] for package in json.loads(pip(clean_python, "list", "--format=json"))
    }
    assert installed - {"pip", "setuptools"} == {"roilearn", "numpy", "lazy-loader", "packaging"}


def test_the_first_cell_of_a_notebook_leaves_an_older_numpy_and_torch(
    wheel, clean_python, pip, root
):
    """Numpy, torch and torchvision at the floors, the oldest that Colab could have, do not move.

    A forced upgrade breaks Colab, whose own packages are built against the ones it has.
    """
    floors = dict(
        line.split("==") for line in (root / "constraints-floors.txt").read_text().splitlines()
    )
    (site,) = clean_python.parents[1].glob("lib/python*/site-packages")
    kept = ("numpy", "torch", "torchvision")
    for name in kept:
        pretend(site, name, floors[name])
    plan = clean_python.parents[1] / "plan.json"
    asked = (f"{wheel}[notebooks]", f"numpy=={floors['numpy']}")
    pip(clean_python, "install", "--quiet", "--dry-run", "--report", plan, *asked)
    touched = {item["metadata"]["name"].lower() for item in json.loads(plan.read_text())["install"]}
    assert {"roilearn", "anywidget", "jaxtyping"} <= touched
    assert not touched.intersection(kept)


def test_pip_finds_the_console_command(wheel):
    entry = f"roilearn-{roilearn.__version__}.dist-info/entry_points.txt"
    assert "roilearn = roilearn.cli:main" in zipfile.ZipFile(wheel).read(entry).decode()


def test_the_command_answers_help():
    command = Path(sys.executable).with_name("roilearn")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert "bench" in done.stdout
