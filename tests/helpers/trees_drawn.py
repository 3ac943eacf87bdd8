"""Hypothesis strategies for trees, as lists of parents in post-order."""

from hypothesis import strategies as st


@st.composite
def forests(draw, max_nodes=9, max_arity=None):
    """A forest of up to so many nodes, possibly none, the root of each tree after its subtree."""
    n = draw(st.integers(0, max_nodes))
    parents = [-1] * n
    roots = []
    for node in range(n):
        most = len(roots) if max_arity is None else min(max_arity, len(roots))
        for child in roots[len(roots) - draw(st.integers(0, most)) :]:
            parents[child] = node
            roots.remove(child)
        roots.append(node)
    return parents
