"""How each picture is read: under a figure, on a page and in the terminal."""

from __future__ import annotations

GRADIENTS = (
    "The flatter a curve, the further back the network learns: gradients vanish where the curve "
    "falls, and explode where it rises. The dashed line is a constant gradient; a band covers "
    "the middle 80 % of the positions."
)
GATES = (
    "Upper panel: each point is a unit. At the lower right its gate is nearly always open, at "
    "the upper left nearly always closed. Lower panel: gate values of all units, from 0 (closed) "
    "to 1 (open)."
)
ATTENTION = (
    "White is an even share: 1/n of the attention of a row over n columns. Red is more, blue is "
    "less. Full red is ten times an even share; pale colours say little."
)
TRANSITIONS = (
    "Each number is the score of a transition from row to column: above 0 (red) is favoured, "
    "below 0 (blue) is avoided, × or grey is forbidden. Full colour is 3 nats, a factor of 20; "
    "pale colours say little."
)
TRANSITIONS_OF_TYPES = (
    "Each number is the mean score of the transitions from any label of the row's type to a "
    "label that begins an entity of the column's type. Above 0 (red) is favoured, below 0 (blue) "
    "is avoided. Full colour is 3 nats, a factor of 20."
)
LATTICE = (
    "The deeper the blue, the more probable the label at its token. Where several labels of a "
    "token are blue, or the next best paths differ from the best one, the network is uncertain."
)
LOSS = (
    "The redder a piece, the higher its loss: white is certain, full red is no better than a "
    "random guess. For a unit, red is an activation near 1 and blue near -1."
)
EXPOSURE_BIAS = (
    "Upper panel: where F departs from H, the model is misled by its own text. Lower panel: a "
    "gap that grows with the distance is exposure bias; a gap from the start is lack of fit. "
    "Differences within the bands are noise."
)
CURVES = (
    "Where the loss falls and scores no longer rise, the network overfits; the vertical line is at "
    "the best score. If the gradient norm grows, or is nearly always clipped, lower the learning "
    "rate."
)
