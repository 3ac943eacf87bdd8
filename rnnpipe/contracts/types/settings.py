"""The types of plain settings, as pydantic checks them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

PositiveInt = Annotated[int, Field(gt=0, strict=True)]
NonNegativeInt = Annotated[int, Field(ge=0, strict=True)]
Depth = Annotated[int, Field(ge=1, le=8, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
#: How many values a pixel may have.
Levels = Annotated[int, Field(ge=2, le=256, strict=True)]
#: A share in [0, 1): a dropout rate of 1 would drop everything.
Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
#: A share in (0, 1].
PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
#: ``None``: the rate of the training loop (``[training] dropout``) applies.
DropoutRate: TypeAlias = Probability | None

#: The type of matrix products; weights and sums stay float32.
Precision: TypeAlias = Literal["float32", "bfloat16"]
