from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SOURCE = (HERE / "rnnpipe_acme" / "__init__.py").read_text(encoding="utf8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE)[1]

setup(
    name="rnnpipe-acme",
    version=VERSION,
    description="Parts of networks for rnnpipe",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.10",
    # With another version of rnnpipe the parts are refused, and their user is told why.
    install_requires=["HOST"],
    extras_require={"test": ["rnnpipe[testing]"]},
    packages=["rnnpipe_acme"],
    package_data={"rnnpipe_acme": ["py.typed"]},
    entry_points={
        "GROUP": [
            "acme.PART.v1 = rnnpipe_acme.MODULE:PART",
        ],
    },
)
