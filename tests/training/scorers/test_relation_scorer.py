"""The official score of SemEval-2010 task 8, worked out by hand."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.training.scorers.relation_scorer import relation_scorer

NLP = spacy.blank("en")
AB, BA = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"
IN, OTHER = "Content-Container(e1,e2)", "Other"


def scores(pairs, **settings):
    examples = []
    for true, found in pairs:
        doc, gold = Doc(NLP.vocab, words=["a"]), Doc(NLP.vocab, words=["a"])
        gold.cats = {} if true is None else {true: 1.0}
        doc.cats = {AB: 0.1, BA: 0.1, IN: 0.1, OTHER: 0.1, found: 0.9}
        examples.append(Example(doc, gold))
    return relation_scorer(**settings)(examples)


def test_a_wrong_direction_is_wrong_and_other_is_left_out():
    found = scores(
        [(AB, AB), (AB, BA), (BA, BA), (BA, OTHER), (IN, IN), (IN, AB), (OTHER, IN), (OTHER, OTHER)]
    )
    # Cause-Effect: 2 of 4 answers and 2 of 4 examples; Content-Container: 1 of 2, and 1 of 2.
    of_cause, of_container = {"p": 0.5, "r": 0.5, "f": 0.5}, {"p": 0.5, "r": 0.5, "f": 0.5}
    assert found["relation_f_per_type"] == {
        "Cause-Effect": of_cause,
        "Content-Container": of_container,
    }
    assert found["relation_macro_f"] == 0.5
    assert found["relation_acc"] == 0.5


def test_the_mean_is_over_relations_not_examples():
    found = scores([(AB, AB)] * 3 + [(BA, OTHER)] + [(IN, AB), (OTHER, AB)])
    # Cause-Effect: 3 of 5 answers, 3 of 4 examples; Content-Container: none.
    assert found["relation_macro_p"] == pytest.approx(0.3)
    assert found["relation_macro_r"] == pytest.approx(0.375)
    assert found["relation_macro_f"] == pytest.approx((2 * 3 / 9 + 0) / 2)


def test_another_name_for_no_relation():
    assert scores([(AB, AB), ("none", OTHER)], other="none")["relation_macro_f"] == 1.0


def test_examples_without_a_relation_do_not_count():
    assert scores([(AB, AB), (None, IN)])["relation_macro_f"] == 1.0
    assert set(scores([(None, AB)]).values()) == {None}
