"""The table that drives the contract tests: every registered name, plugins included."""

import numpy as np
import pytest
import spacy
from building import DECLARED, GROUPS, names_of


def pytest_generate_tests(metafunc):
    for kind in [*GROUPS, *DECLARED]:
        if f"{kind}_name" in metafunc.fixturenames:
            names = names_of(kind)
            assert names, f"there is no {kind} registered: is the package installed?"
            metafunc.parametrize(f"{kind}_name", names)


@pytest.fixture(scope="session")
def nlp():
    nlp = spacy.blank("en")
    for i, word in enumerate(["the", "house", "red", "a", "Berlin", "runs"]):
        nlp.vocab.set_vector(word, np.array([0.1 * i, 0.2, -0.3, 1.0], dtype="f"))
    return nlp
