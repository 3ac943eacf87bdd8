"""The reference pages have every registry, each once, and all that is public in Python."""

import re
from collections import Counter

from reading import ROOT

import rnnpipe.structures
import rnnpipe.testing
import rnnpipe.types
from rnnpipe.cli.parts import parts_of, registries


def test_every_registry_has_its_page():
    pages = [page.read_text(encoding="utf8") for page in (ROOT / "docs" / "reference").glob("*.md")]
    named = re.findall(r"^```{registered} (\w+)$", "\n".join(pages), re.MULTILINE)
    wanted = [name.removeprefix("rnnpipe_") for name in registries() if parts_of(name)]
    assert Counter(named) == Counter(wanted)


#: Pieces of plans, which no part is given by itself, and two symbols.
INNER = {
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
    modules = rnnpipe.structures, rnnpipe.testing, rnnpipe.types
    assert {name for module in modules for name in module.__all__} - shown == INNER
