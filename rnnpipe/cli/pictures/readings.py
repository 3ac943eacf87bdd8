"""How each picture is read: under a figure, on a page and in the terminal."""

from __future__ import annotations

GRADIENTS = (
    "The flatter a curve, the further back the network learns: gradients vanish where it falls, "
    "and explode where it rises. The dashed line is a gradient that does not change; a band "
    "leaves out a tenth of the places above and below."
)
GATES = (
    "Above, each point is a unit: at the lower right its gate is nearly always open, at the upper "
    "left nearly always shut. Below are the values of all units, from 0 (shut) to 1 (open)."
)
ATTENTION = (
    "White is an even share, 1/n of what a row took from n columns; red is more, blue is less. "
    "Full red is ten times an even share; what is nearly white says little."
)
TRANSITIONS = (
    "Each number is what a step from row to column adds to a score: above 0 (red) it is favoured, "
    "below 0 (blue) avoided, × or grey forbidden. Full colour is 3 nats, a factor of 20; pale "
    "colours say little."
)
TRANSITIONS_OF_TYPES = (
    "Each number is a mean: of the scores of the steps from any label of the row's type to a label "
    "that begins an entity of the column's type. Above 0 (red) the step is favoured, below 0 "
    "(blue) avoided. Full colour is 3 nats, a factor of 20."
)
LATTICE = (
    "The deeper the blue, the more probable the label at its token. Where several labels of a "
    "token are blue, or the next best paths leave the best one, the network is not sure."
)
LOSS = (
    "The redder a piece, the more it surprised the model: white is certain, full red no better "
    "than a blind guess. Of a unit, red is near 1 and blue near -1: what in the text does it "
    "follow?"
)
EXPOSURE_BIAS = (
    "Above, where F leaves H the model's own text has led it astray. Below, a gap that grows with "
    "the distance is exposure bias; a gap from the start is lack of fit. Differences within the "
    "bands are noise."
)
CURVES = (
    "Where the loss falls and scores no longer rise, the network overfits; the vertical line is at "
    "the best score. A gradient norm that grows, or is nearly always clipped, asks for a lower "
    "learn rate."
)
