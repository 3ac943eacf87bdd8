"""The reference pages have every registry, each once."""

import re
from collections import Counter

from helpers.reading import ROOT

from rnnpipe.cli.parts import parts_of, registries


def test_every_registry_has_its_page():
    pages = [page.read_text(encoding="utf8") for page in (ROOT / "docs" / "reference").glob("*.md")]
    named = re.findall(r"^```{registered} (\w+)$", "\n".join(pages), re.MULTILINE)
    wanted = [name.removeprefix("rnnpipe_") for name in registries() if parts_of(name)]
    assert Counter(named) == Counter(wanted)
