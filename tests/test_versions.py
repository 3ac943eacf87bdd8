"""The lowest versions that the metadata allows are the ones that are tested."""

from importlib.metadata import requires

from helpers.paths import ROOT
from packaging.requirements import Requirement
from packaging.version import Version

#: Tools and peers, whose lowest versions nothing of ours depends on.
LEFT_OUT = {"benchmarks", "dev", "docs", "lint"}


def lowest_allowed():
    bounds = {}
    for requirement in map(Requirement, requires("rnnpipe")):
        extra = str(requirement.marker or "").rpartition("== ")[2].strip('"')
        (lowest,) = (s.version for s in requirement.specifier if s.operator == ">=")
        if extra not in LEFT_OUT:
            bounds[requirement.name] = Version(lowest)
    return bounds


def pinned(name):
    lines = (ROOT / name).read_text(encoding="utf8").splitlines()
    return {n: Version(v) for n, _, v in (line.partition("==") for line in lines) if v}


def test_the_lowest_constraints_are_the_lower_bounds():
    assert pinned("constraints-lowest.txt").items() >= lowest_allowed().items()


def test_the_tested_versions_are_allowed():
    tested = pinned("constraints.txt")
    for requirement in map(Requirement, requires("rnnpipe")):
        assert requirement.specifier.contains(tested[requirement.name]), requirement
