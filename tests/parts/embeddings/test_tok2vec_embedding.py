"""``rnnpipe.Tok2Vec.v1``."""

import pytest
import torch
from spacy.pipeline.tok2vec import Tok2VecListener
from thinc.api import Linear, chain, list2array

from rnnpipe.errors import StructureError
from rnnpipe.parts.embeddings.tok2vec import Tok2Vec


def test_the_layers_vectors_pass_through():
    layer = Tok2VecListener("*", width=4)
    builder = Tok2Vec(layer)
    assert builder.upstream is layer
    assert builder.parts() == [builder]
    module = builder.build(builder.measure({}, None))
    assert (module.n_out, module.lexical) == (4, False)
    assert module.featurize([]) == {}
    x = torch.randn(3, 4, requires_grad=True)
    output = module({"upstream": x})
    assert torch.equal(output, x)


@pytest.mark.parametrize("n_tokens", [0, 3])
def test_projection_hands_gradients_back(n_tokens):
    builder = Tok2Vec(Linear(nO=4, nI=2), width=2)
    module = builder.build(builder.measure({}, None))
    assert module.n_out == 2
    x = torch.randn(n_tokens, 4, requires_grad=True)
    output = module({"upstream": x})
    torch.testing.assert_close(output, x @ module.project.weight.T + module.project.bias)
    output.sum().backward()
    torch.testing.assert_close(x.grad, module.project.weight.sum(0).expand(n_tokens, 4))


def test_width_is_read_when_measured():
    layer = Linear(nI=2)
    builder = Tok2Vec(layer)
    with pytest.raises(StructureError) as error:
        builder.measure({}, None)
    assert str(error.value) == (
        "rnnpipe.Tok2Vec.v1, tok2vec: expected a layer whose output width (dimension 'nO') is "
        "known once it is initialised, got 'linear without one'. Set the layer's width in the "
        "config."
    )
    layer.set_dim("nO", 5)
    assert builder.measure({}, None) == {"n_in": 5}


def test_a_layer_that_has_no_width_at_all():
    with pytest.raises(StructureError, match="list2array"):
        Tok2Vec(chain(list2array(), list2array())).measure({}, None)
