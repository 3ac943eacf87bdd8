"""Hypothesis strategies for graphs: how many nodes there are, and their edges."""

from hypothesis import strategies as st

N_TYPES = 3


@st.composite
def graphs(draw, max_nodes=6, acyclic=False):
    """Up to so many nodes, possibly none, and any edges ``[from, to, type]``, several between the
    same nodes and loops among them; without cycles, those that lead on in some order of nodes."""
    n = draw(st.integers(0, max_nodes))
    if n == 0:
        return 0, []
    place = draw(st.permutations(range(n)))
    node = st.integers(0, n - 1)
    edge = st.tuples(node, node, st.integers(0, N_TYPES - 1))
    if acyclic:
        edge = edge.filter(lambda e: place[e[0]] < place[e[1]])
        if n == 1:
            return 1, []
    return n, [list(e) for e in draw(st.lists(edge, max_size=3 * n))]
