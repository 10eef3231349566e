"""The repository: each fact about the project in one place, and no path of any one machine."""

import re

import pytest

import roilearn

ADDRESS_FILES = {"pyproject.toml", "_config.yml"}
AUTHOR_FILES = {"pyproject.toml", "_config.yml", "LICENSE", "LICENSE-TEXT", "CITATION.cff"}
HOME = re.compile(r"(?<![\w.])/(?:home|root|work|Users|tmp)/\w")
REGISTRY = re.compile(
    r"--(?:extra-)?index-url|--find-links|^registry=|pypi\.org/simple", re.MULTILINE
)


def field(text, name):
    """Value of a top-level ``name: value`` line."""
    return re.search(rf'^{name}: *"?(.+?)"?$', text, re.MULTILINE).group(1)


@pytest.fixture
def address(project):
    return project["project"]["urls"]["Repository"]


def test_the_address_stands_in_two_files_and_is_the_same(texts, address):
    short = "/".join(address.split("/")[-2:])
    holders = {name for name, text in texts.items() if short in text}
    assert holders == ADDRESS_FILES
    assert re.search(r"^  url: (.+)$", texts["_config.yml"], re.MULTILINE).group(1) == address
    assert all(texts[name].count(short) == 1 for name in ADDRESS_FILES)


def test_the_authors_are_named_where_a_licence_or_a_citation_needs_them(texts, project):
    (author,) = (entry["name"] for entry in project["project"]["authors"])
    holders = {name for name, text in texts.items() if author in text}
    assert holders - {name for name in texts if name.startswith("tests/")} == AUTHOR_FILES
    assert field(texts["_config.yml"], "author") == author


def test_the_citation_names_this_version_and_this_licence(texts, project):
    citation = texts["CITATION.cff"]
    assert field(citation, "version") == roilearn.__version__
    assert field(citation, "license") == project["project"]["license"]
    assert f"## {roilearn.__version__}" in texts["CHANGELOG.md"]


@pytest.mark.parametrize("pattern", [HOME, REGISTRY], ids=["machine path", "registry address"])
def test_nothing_of_one_machine_is_tracked(texts, pattern):
    found = [
        f"{name}: {match.group()}"
        for name, text in texts.items()
        if not name.startswith(("tests/house/", "book/extra/"))
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_constraints_are_plain_versions(texts):
    for name in ("constraints.txt", "constraints-floors.txt"):
        lines = texts[name].splitlines()
        assert lines
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), name


def test_the_floors_are_the_lower_bounds_of_the_package(texts, project):
    extras = project["project"]["optional-dependencies"]
    names = ("torch", "explore", "peers", "test")
    bounds = [
        *project["project"]["dependencies"],
        *(line for name in names for line in extras[name]),
    ]
    floors = dict(line.split("==") for line in texts["constraints-floors.txt"].splitlines())
    wanted = dict(line.split(">=") for line in bounds if not line.startswith("roilearn"))
    assert wanted
    for name, version in wanted.items():
        assert (floors[name] + ".").startswith(version + "."), name


def test_the_package_pins_nothing(project):
    """An exact pin in the package makes `pip install` fail for years."""
    extras = project["project"]["optional-dependencies"].values()
    every = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    assert [line for line in every if "==" in line or "~=" in line] == []


def test_every_lint_rule_left_out_is_explained(texts, project):
    rules = project["tool"]["ruff"]["lint"]["ignore"]
    assert [rule for rule in rules if rule not in texts["CONTRIBUTING.md"]] == []
