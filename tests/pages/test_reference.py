"""The reference pages have every registry, each once, and all that is public in Python."""

import re
from collections import Counter

from helpers.reading import ROOT

import rnnpipe.testing
from rnnpipe import api
from rnnpipe.cli.parts import parts_of, registries


def test_every_registry_has_its_page():
    pages = [page.read_text(encoding="utf8") for page in (ROOT / "docs" / "reference").glob("*.md")]
    named = re.findall(r"^```{registered} (\w+)$", "\n".join(pages), re.MULTILINE)
    wanted = [name.removeprefix("rnnpipe_") for name in registries() if parts_of(name)]
    assert Counter(named) == Counter(wanted)


#: Names of types, pieces of plans, which no part is given by itself, and two symbols.
INNER = {
    "REGISTRIES",
    "PLACE",
    "Drop",
    "LayerState",
    "Scheme",
    "DagPlan",
    "DagStep",
    "State",
    "Step",
    "Structure",
    "BOUNDARY",
    "UNKNOWN",
    "Phrase",
    "Ending",
}


def test_the_python_page_has_all_public_names():
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf8")
    shown = set(re.findall(r"^(?:\.\. py:data:: )?(\w+)$", page, re.MULTILINE))
    registries = {registry.group.removeprefix("rnnpipe_") for registry in api.REGISTRIES}
    assert {*api.__all__, *rnnpipe.testing.__all__} - shown - registries == INNER
