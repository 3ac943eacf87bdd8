"""The transition scores of a CRF."""

import numpy as np
import pytest
from helpers.small_pipelines import entity_recognizer
from matplotlib.image import imread

from rnnpipe.cli.pictures.transition_picture import draw_transitions
from rnnpipe.errors import SettingsError
from rnnpipe.instruments.transitions import Transitions, transitions


def test_scores_are_the_crfs_and_what_the_scheme_forbids_is_marked():
    pipe = entity_recognizer().get_pipe("ner")
    found = transitions(pipe)
    learned = {
        name: p.detach() for name, p in pipe.model.shims[0].module.decoder.named_parameters()
    }
    assert found.sources == ["start", *pipe.tags.names]
    assert found.targets == [*pipe.tags.names, "end"]
    at = {name: i for i, name in enumerate(found.sources)}
    to = {name: i for i, name in enumerate(found.targets)}
    for source in found.sources:
        for target in ("I-PER", "I-LOC"):
            legal = source[0] in "BI" and source[2:] == target[2:]
            assert np.isfinite(found.scores[at[source], to[target]]) == legal
    names = pipe.tags.names
    o, begin, inside = (names.index(name) for name in ("O", "B-LOC", "I-LOC"))
    inner = found.scores[at["B-LOC"], to["I-LOC"]]
    assert inner == pytest.approx(float(learned["transitions"][begin, inside]))
    assert found.scores[0, to["O"]] == pytest.approx(float(learned["start"][o]))
    assert found.scores[at["O"], -1] == pytest.approx(float(learned["end"][o]))
    assert np.isnan(found.scores[0, -1])


def test_in_json_what_is_forbidden_is_null():
    scores = np.array([[1.0, -np.inf, np.nan], [0.5, 0.25, 0.125], [-1.0, -2.0, -np.inf]])
    assert Transitions(["O", "I"], scores).as_json() == {
        "labels": ["O", "I"],
        "start": [1.0, None],
        "transitions": [[0.5, 0.25], [-1.0, -2.0]],
        "end": [0.125, None],
    }


def test_by_type():
    """Means over the tags of a type, of the steps to a tag that may begin an entity."""
    labels = ["O", "B-X", "I-X", "B-Y-Z", "I-Y-Z"]
    scores = np.arange(36.0).reshape(6, 6)  # rows: start and labels; columns: labels and end
    scores[0, [2, 4]] = -np.inf  # I- begins nothing
    scores[[0, 1, 4, 5], 2] = scores[[0, 1, 2, 3], 4] = -np.inf
    scores[0, -1] = np.nan
    found = Transitions(labels, scores).by_type()
    assert (found.labels, found.of_types) == (["O", "X", "Y-Z"], True)
    np.testing.assert_array_equal(
        found.scores,
        [[0, 1, 3, np.nan], [6, 7, 9, 11], [15, 16, 18, 20], [27, 28, 30, 32]],
    )


def test_labels_without_types_stay_what_they_are():
    found = Transitions(["NN", "VB"], np.zeros((3, 3)))
    assert found.by_type() is found


def test_a_decoder_without_transition_scores():
    with pytest.raises(SettingsError) as error:
        transitions(entity_recognizer(decoder="Softmax").get_pipe("ner"))
    assert str(error.value) == (
        "components.ner.model.decoder: expected a CRF, got 'SoftmaxDecoder'. "
        "Train it with @rnnpipe_decoders = 'rnnpipe.CRF.v1'."
    )


@pytest.mark.parametrize("size", [1, 3, 30])
def test_a_picture_of_any_size(size, tmp_path):
    scores = np.linspace(-1.0, 1.0, (size + 1) ** 2).reshape(size + 1, size + 1)
    scores[0, -1] = np.nan
    scores[1, 0] = -np.inf
    path = tmp_path / "t.png"
    draw_transitions(Transitions([f"$_{i}" for i in range(size)], scores), path, "$T$")
    assert len(np.unique(imread(path).reshape(-1, 4), axis=0)) > 50
