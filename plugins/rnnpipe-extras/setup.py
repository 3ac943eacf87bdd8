from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SOURCE = (HERE / "rnnpipe_extras" / "__init__.py").read_text(encoding="utf8")
VERSION = re.search(r'__version__ = "(.+)"', SOURCE)[1]

setup(
    name="rnnpipe-extras",
    version=VERSION,
    description="A pooler, a decoder, filters and more for rnnpipe",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="the rnnpipe authors",
    license="MIT",
    python_requires=">=3.10",
    install_requires=["rnnpipe>=0.2,<0.3"],
    extras_require={"test": ["rnnpipe[testing]"]},
    packages=["rnnpipe_extras"],
    package_data={"rnnpipe_extras": ["py.typed"]},
    entry_points={
        "rnnpipe_attentions": ["extras.Cosine.v1 = rnnpipe_extras.cosine:Cosine"],
        "rnnpipe_decoders": ["extras.Ordinal.v1 = rnnpipe_extras.ordinal:Ordinal"],
        "rnnpipe_embeddings": ["extras.Casing.v1 = rnnpipe_extras.casing:Casing"],
        "rnnpipe_filters": [
            "extras.Eta.v1 = rnnpipe_extras.filters:Eta",
            "extras.TopNSigma.v1 = rnnpipe_extras.filters:TopNSigma",
        ],
        "rnnpipe_outputs": [
            "extras.MixtureOfSoftmaxes.v1 = rnnpipe_extras.mixture:MixtureOfSoftmaxes"
        ],
        "rnnpipe_poolers": ["extras.LogSumExp.v1 = rnnpipe_extras.log_sum_exp:LogSumExp"],
    },
)
