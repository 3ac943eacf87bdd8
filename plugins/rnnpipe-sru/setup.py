from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SOURCE = (HERE / "rnnpipe_sru" / "__init__.py").read_text(encoding="utf8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE)[1]

setup(
    name="rnnpipe-sru",
    version=VERSION,
    description="SRU and QRNN encoders for rnnpipe",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="the rnnpipe authors",
    license="MIT",
    python_requires=">=3.10",
    install_requires=["rnnpipe>=0.2,<0.3"],
    extras_require={"test": ["rnnpipe[testing]"]},
    packages=["rnnpipe_sru"],
    package_data={"rnnpipe_sru": ["py.typed"]},
    entry_points={
        "rnnpipe_encoders": [
            "sru.BiQRNN.v1 = rnnpipe_sru.qrnn:BiQRNN",
            "sru.BiSRU.v1 = rnnpipe_sru.sru:BiSRU",
            "sru.QRNN.v1 = rnnpipe_sru.qrnn:QRNN",
            "sru.SRU.v1 = rnnpipe_sru.sru:SRU",
        ]
    },
)
