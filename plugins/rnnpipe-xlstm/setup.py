from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SOURCE = (HERE / "rnnpipe_xlstm" / "__init__.py").read_text(encoding="utf8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE)[1]

setup(
    name="rnnpipe-xlstm",
    version=VERSION,
    description="sLSTM and mLSTM encoders for rnnpipe",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="the rnnpipe authors",
    license="MIT",
    python_requires=">=3.10",
    install_requires=["rnnpipe>=0.2,<0.3"],
    extras_require={"test": ["rnnpipe[testing]"]},
    packages=["rnnpipe_xlstm"],
    package_data={"rnnpipe_xlstm": ["py.typed"]},
    entry_points={
        "rnnpipe_encoders": [
            "xlstm.BiMLSTM.v1 = rnnpipe_xlstm.mlstm:BiMLSTM",
            "xlstm.BiSLSTM.v1 = rnnpipe_xlstm.slstm:BiSLSTM",
            "xlstm.MLSTM.v1 = rnnpipe_xlstm.mlstm:MLSTM",
            "xlstm.SLSTM.v1 = rnnpipe_xlstm.slstm:SLSTM",
        ]
    },
)
