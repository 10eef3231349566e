"""Fixtures: fresh processes, fresh environments, and the files of the repository."""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = {".git", ".hypothesis", ".pytest_cache", ".ruff_cache", "__pycache__", "_build", "dist"}


def run(*command, check=True, **options):
    """Run a command and return its standard output; a failure shows what it printed."""
    options.setdefault("cwd", ROOT)
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    if check and done.returncode:
        pytest.fail(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def files_of_the_repository():
    """List what git tracks; in an unpacked sdist, everything that is not built."""
    if (ROOT / ".git").exists():
        names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]
    kept = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in kept if not BUILT.intersection(path.relative_to(ROOT).parts)]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def texts():
    """Text of every file of the repository, by its path from the root."""
    found = {}
    for path in files_of_the_repository():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode()
    return found


@pytest.fixture(scope="session")
def fresh_python():
    """Run code in a fresh interpreter, ``source`` instead of the installed package if given."""

    def fresh(code, source=None, python=sys.executable):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        if source is not None:
            environment["PYTHONPATH"] = str(source)
        return run(python, "-c", code, env=environment, cwd="/")

    return fresh


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the sdist, and the wheel from the sdist; return their folder."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ".")
    return folder


@pytest.fixture
def clean_python(tmp_path):
    """Python of a new environment in which nothing is installed."""
    venv.create(tmp_path / "clean", with_pip=False)
    scripts = "Scripts" if os.name == "nt" else "bin"
    return tmp_path / "clean" / scripts / "python"


@pytest.fixture(scope="session")
def pip():
    """Run our pip quietly on the environment of the given Python."""

    def run_pip(python, *arguments):
        options = ("--disable-pip-version-check", "--no-input", "--python", python)
        return run(sys.executable, "-m", "pip", *options, *arguments)

    return run_pip
