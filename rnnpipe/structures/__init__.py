"""What a batch of documents looks like to a network: padded nodes, and the lengths that are true.

A structure owns masking. Nobody else builds a mask, so that nothing can learn from padding.
"""

from rnnpipe.structures.dag_plan import DagPlan, DagStep
from rnnpipe.structures.encoded import Encoded, Structure
from rnnpipe.structures.graphs import Dags, Graphs
from rnnpipe.structures.grids import Grids
from rnnpipe.structures.sequences import Mentions, Sequences
from rnnpipe.structures.state import State, map_state, tensors_of
from rnnpipe.structures.trees import Step, Trees

__all__ = [
    "DagPlan",
    "DagStep",
    "Dags",
    "Encoded",
    "Graphs",
    "Grids",
    "Mentions",
    "Sequences",
    "State",
    "Step",
    "Structure",
    "Trees",
    "map_state",
    "tensors_of",
]
