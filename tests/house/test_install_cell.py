"""The first cell of a notebook brings what the notebook imports.

That it leaves NumPy and torch alone stands in ``test_distribution.py``, where the wheel is.
"""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
PROVIDES = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}
FREE = {"IPython"}  # every kernel has it


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def sources(request):
    cells = json.loads(request.param.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def installed_by(cell):
    """What the pip line of a cell asks for."""
    (line,) = re.findall(r"^ *[%!]pip install (.*)$", cell, re.MULTILINE)
    return [word.strip("\"'") for word in line.split()]


def imported_by(sources):
    """Top-level packages that the code cells import, beyond the standard library and our own."""
    code = "\n".join(
        re.sub(r"^( *)[%!].*$", r"\1pass", cell, flags=re.MULTILINE) for cell in sources
    )
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


def distributions(project, extra):
    """Names of the distributions that an extra asks for, extras of extras included."""
    found = set()
    for line in [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"][extra],
    ]:
        if line.startswith("roilearn["):
            inner = line.removeprefix("roilearn[").removesuffix("]").split(",")
            found = found.union(*(distributions(project, name) for name in inner))
        else:
            found.add(re.match(r"[\w-]+", line).group())
    return found


def test_only_the_first_cell_installs_and_only_what_is_missing(sources):
    assert installed_by(sources[0]) == ["--quiet", "roilearn[notebooks]", "numpy=={np.__version__}"]
    assert [cell for cell in sources[1:] if re.search(r"pip3? install|conda install", cell)] == []
    assert "except ImportError" in sources[0]


def test_what_it_installs_is_all_that_the_notebook_imports(sources, project):
    names = imported_by(sources) - set(sys.stdlib_module_names) - FREE - {"roilearn"}
    wanted = {PROVIDES.get(name, name) for name in names} - {"pillow"}  # comes with matplotlib
    assert wanted <= distributions(project, "notebooks")


def test_the_image_of_binder_has_what_the_notebooks_import(texts, project):
    listed = set(re.findall(r"^  - ([\w-]+)", texts[".binder/environment.yml"], re.MULTILINE))
    names = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}
    wanted = {names.get(name, name) for name in distributions(project, "notebooks")}
    assert wanted - listed == {"lazy-loader"}  # postBuild brings it with the package
