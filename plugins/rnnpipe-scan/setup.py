from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SOURCE = (HERE / "rnnpipe_scan" / "__init__.py").read_text(encoding="utf8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE)[1]

setup(
    name="rnnpipe-scan",
    version=VERSION,
    description="minGRU and minLSTM encoders for rnnpipe, trained by a parallel scan",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="the rnnpipe authors",
    license="MIT",
    python_requires=">=3.10",
    install_requires=["rnnpipe>=0.2,<0.3"],
    extras_require={"fast": ["rnnpipe[fast]"], "test": ["rnnpipe[testing]"]},
    packages=["rnnpipe_scan"],
    package_data={"rnnpipe_scan": ["py.typed"]},
    entry_points={
        "rnnpipe_encoders": [
            "scan.BiMinGRU.v1 = rnnpipe_scan.encoders:BiMinGRU",
            "scan.BiMinLSTM.v1 = rnnpipe_scan.encoders:BiMinLSTM",
            "scan.MinGRU.v1 = rnnpipe_scan.encoders:MinGRU",
            "scan.MinLSTM.v1 = rnnpipe_scan.encoders:MinLSTM",
        ]
    },
)
