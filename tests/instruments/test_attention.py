"""The attention of a text classifier's pooler, and of a sequence-to-sequence model."""

import numpy as np
import pytest
from helpers.small_pipelines import text_classifier, translator
from spacy.language import Language

from rnnpipe.errors import SettingsError
from rnnpipe.instruments.attention import (
    attention_poolers,
    pooling_attention,
    translation_attention,
)


def attention(pooler, text):
    nlp = text_classifier(pooler)
    return pooling_attention(nlp, nlp.get_pipe("cat"), text)


def test_shares_are_those_that_the_pooler_weighs_states_with():
    nlp = text_classifier()
    pipe = nlp.get_pipe("cat")
    (pooler,) = attention_poolers(pipe)
    pooled, states = [], []

    def keep(_, inputs, output):
        states.append(inputs[0].states)
        pooled.append(output)

    hook = pooler.register_forward_hook(keep)
    found = pooling_attention(nlp, pipe, "a rose so red")
    hook.remove()
    assert found.shares.shape == (1, 4)
    assert found.shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.shares @ states[0][0].numpy(), pooled[0].numpy(), atol=1e-5)
    assert found.columns == ["a ", "rose ", "so ", "red"]
    assert found.rows == ["pooler"]
    assert found.title.startswith("Attention of 'cat' (rose: 0.")
    assert not pooler._forward_hooks


def test_the_title_names_one_of_the_components_own_categories():
    nlp = text_classifier()

    @Language.component("certain")
    def certain(doc):
        doc.cats["other"] = 2.0
        return doc

    nlp.add_pipe("certain")
    try:
        title = pooling_attention(nlp, nlp.get_pipe("cat"), "a rose").title
    finally:
        nlp.remove_pipe("certain")
    assert title.startswith("Attention of 'cat' (rose: 0.")


def test_several_poolers_have_a_row_each():
    found = attention("Concat", "a rose")
    assert found.rows == ["pooler 0", "pooler 1"]
    np.testing.assert_allclose(found.shares.sum(1), [1.0, 1.0], rtol=1e-5)


def test_a_pooler_without_attention():
    with pytest.raises(SettingsError) as error:
        attention("Max", "a rose")
    assert str(error.value) == (
        "components.cat.model.pooler: expected a pooler with attention weights, got 'MaxPooler'. "
        "Train it with @rnnpipe_poolers = 'rnnpipe.Attention.v1'."
    )


def test_a_text_without_tokens():
    with pytest.raises(SettingsError) as error:
        attention("Attention", "")
    assert (
        str(error.value) == "text: expected a text with tokens, got no tokens. Pass another text."
    )


def test_a_translation_and_what_it_was_made_from():
    nlp = translator()
    found = translation_attention(nlp, nlp.get_pipe("spell"), "abc")
    doc = nlp("abc")
    assert found.columns == ["a", "b", "c"]
    assert "".join(found.rows) == doc._.translation != ""
    np.testing.assert_array_equal(found.shares, doc._.translation_attention)
    np.testing.assert_allclose(found.shares.sum(1), np.ones(len(found.rows)), rtol=1e-5)
    assert (found.row_title, found.column_title) == ("Written", "Read")


def test_a_translator_without_attention():
    nlp = translator(attention=None)
    with pytest.raises(SettingsError) as error:
        translation_attention(nlp, nlp.get_pipe("spell"), "abc")
    assert str(error.value) == (
        "components.spell.model.attention: expected attention, got no attention. "
        "Train it with @rnnpipe_attentions = 'rnnpipe.Additive.v1', for instance."
    )


def test_nothing_to_translate():
    nlp = translator()
    with pytest.raises(SettingsError) as error:
        translation_attention(nlp, nlp.get_pipe("spell"), "")
    assert str(error.value) == (
        "text: expected a text that the model reads and answers, got no symbols. Pass another text."
    )
