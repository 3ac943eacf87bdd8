"""What every component keeps to, whatever it reads and writes: each test file of a component names
a fixture ``component`` and a subclass of one of these contracts."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import set_dropout_rate

from rnnpipe.errors import TrainingError


@dataclass
class Component:
    """A trained pipeline whose last component is looked at.

    make: the same pipeline, untrained.
    examples: to learn from.
    answer: what the component wrote on a document: what is said, and numbers.
    docs: to be annotated; by default those of the examples.
    waits_in: the function in which a training step first waits for a value from the device: the one
        that takes the loss from the network, after all gradients, or that builds trees on the host.
    """

    nlp: Language
    make: Callable[[], Language]
    examples: Callable[[Language], list[Example]]
    answer: Callable[[Doc], tuple[Any, list[float]]]
    docs: Callable[[Language], list[Doc]] | None = None
    waits_in: str = "loss"

    def unread(self, nlp):
        return self.docs(nlp) if self.docs else [eg.predicted for eg in self.examples(nlp)]

    def answers(self, nlp, **settings):
        return [self.answer(doc) for doc in nlp.pipe(self.unread(nlp), **settings)]

    def trained(self, steps, drop=0.0):
        """A pipeline of the seed 0, and its optimizer."""
        nlp = self.make()
        fix_random_seed(0)
        optimizer = nlp.initialize(lambda: self.examples(nlp))
        for _ in range(steps):
            nlp.update(self.examples(nlp), sgd=optimizer, drop=drop)
        return nlp, optimizer


def last(nlp):
    return nlp.get_pipe(nlp.pipe_names[-1])


def require_alike(got, want):
    """The same is said, with numbers that differ by no more than the order of their sums makes."""
    assert [said for said, _ in got] == [said for said, _ in want]
    for (_, numbers), (_, others) in zip(got, want, strict=True):
        assert numbers == pytest.approx(others, abs=1e-4)


def hold(module):
    """Give the parameters gradients, and return what they are."""
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    return {parameter: torch.ones_like(parameter) for parameter in module.parameters()}


def ready(component):
    """A component that has learnt once, examples for it, and the gradients that it holds."""
    nlp, _ = component.trained(1)
    pipe = last(nlp)
    return pipe, component.examples(nlp), hold(pipe.model.shims[0].module)


def gradients_of(module):
    return {name for name, parameter in module.named_parameters() if parameter.grad is not None}


class ComponentContract:
    def test_round_trips_give_equal_answers(self, component, stored):
        again = stored(component.nlp, component.make)
        assert component.answers(again) == component.answers(component.nlp)
        assert last(again).labels == last(component.nlp).labels

    def test_an_untrained_component_round_trips(self, component):
        again = component.make().from_bytes(component.make().to_bytes())
        with pytest.raises(ValueError, match="E109"):
            again(component.unread(again)[0])

    def test_processes_agree_with_one_process(self, component):
        found = component.answers(component.nlp, n_process=2, batch_size=2)
        require_alike(found, component.answers(component.nlp))

    def test_a_document_alone_is_answered_as_in_a_batch(self, component):
        alone = [component.answer(component.nlp(doc)) for doc in component.unread(component.nlp)]
        require_alike(alone, component.answers(component.nlp))

    def test_same_seed_same_weights(self, component):
        one, two = (last(component.trained(3, drop=0.3)[0]).model.to_bytes() for _ in range(2))
        assert one == two

    def test_a_training_step_waits_for_the_device_no_sooner_than_for_its_loss(self, component):
        nlp, _ = component.trained(0)
        pipe = last(nlp)
        shim = pipe.model.shims[0]
        pipe.update(component.examples(nlp))
        reached = gradients_of(shim.module)
        assert reached
        shim.module.zero_grad()
        shim.module.to("meta")
        # What reading and what copying a meta tensor raises has this in common.
        with pytest.raises(RuntimeError, match="meta tensor") as caught:
            pipe.update(component.examples(nlp))
        ours = [frame for frame in caught.traceback if "rnnpipe" in frame.path.parts]
        assert ours[-1].name == component.waits_in
        if component.waits_in == "loss":
            computed = ours[-1].frame.f_locals["gradients"]
            # Tied weights are two on a device without memory, which both have a gradient.
            assert {n for n, p in shim.module.named_parameters() if p in computed} >= reached

    def test_a_step_is_what_spacy_makes_of_its_parts(self, component):
        whole, parts = (component.trained(1) for _ in range(2))
        losses = last(whole[0]).update(component.examples(whole[0]), sgd=whole[1])
        nlp, optimizer = parts
        pipe, examples = last(nlp), component.examples(nlp)
        scores, backprop = pipe.model.begin_update([eg.predicted for eg in examples])
        loss, gradient = pipe.get_loss(examples, scores)
        backprop(gradient)
        pipe.finish_update(optimizer)
        assert losses == {pipe.name: loss}
        assert pipe.model.to_bytes() == last(whole[0]).model.to_bytes()

    def test_a_pass_is_computed_once_and_its_gradients_are_added_by_backprop(
        self, component, monkeypatch
    ):
        pipe, examples, held = ready(component)
        calls, network = [], type(pipe.model.shims[0].module)
        real = network.accumulate_gradients

        def counted(*args):
            calls.append(args)
            return real(*args)

        monkeypatch.setattr(network, "accumulate_gradients", counted)
        scores, backprop = pipe.model.begin_update([eg.predicted for eg in examples])
        text = "backprop: expected one call after get_loss, got 'a {}'. Call get_loss first"
        with pytest.raises(TrainingError, match=text.format("call before get_loss")):
            backprop([])
        first, again = (pipe.get_loss(examples, scores) for _ in range(2))
        assert first == again
        assert len(calls) == 1
        assert all(torch.equal(p.grad, g) for p, g in held.items())
        backprop(first[1])
        assert not all(torch.equal(p.grad, g) for p, g in held.items())
        with pytest.raises(TrainingError, match=text.format("second call")):
            backprop(first[1])

    def test_the_loss_of_predictions_is_that_of_a_pass_without_dropout(self, component):
        pipe, examples, held = ready(component)
        docs = [eg.predicted for eg in examples]
        set_dropout_rate(pipe.model, 0.9)  # as the last update left it
        loss, gradient = pipe.get_loss(examples, pipe.predict(docs))
        assert gradient is None
        assert math.isfinite(loss)
        assert all(torch.equal(p.grad, g) for p, g in held.items())
        set_dropout_rate(pipe.model, 0.0)
        in_training, _ = pipe.get_loss(examples, pipe.model.begin_update(docs)[0])
        assert loss == pytest.approx(in_training, rel=1e-4)

    def test_scores_of_another_kind(self, component):
        pipe, examples, _ = ready(component)
        n = len(examples)
        where = f"components.{pipe.name}: get_loss: expected the training pass or the predictions"
        for scores, got in ((0.5, "'float'"), ([], "'those of 0'")):
            text = f"{where} for {n} documents, one for each example, got {got}. Pass the result of"
            with pytest.raises(TrainingError, match=text):
                pipe.get_loss(examples, scores)

    def test_a_loss_that_is_not_finite_changes_nothing(self, component, monkeypatch):
        nlp, optimizer = component.trained(2)
        pipe, examples = last(nlp), component.examples(nlp)
        module = pipe.model.shims[0].module
        held = hold(module)
        weights, known = pipe.model.to_bytes(), dict(optimizer.nr_update)
        real = type(module).accumulate_gradients
        monkeypatch.setattr(
            type(module), "accumulate_gradients", lambda *args: real(*args) * math.nan
        )
        docs = [eg.predicted for eg in examples]
        text = (
            f"components.{pipe.name}: update 3: expected a finite training loss, got nan. Lower "
            f"the learning rate, set grad_clip, and check the word vectors for NaN."
        )
        for learn in (
            lambda: pipe.update(examples, sgd=optimizer),
            lambda: pipe.get_loss(examples, pipe.model.begin_update(docs)[0]),
            lambda: pipe.get_loss(examples, pipe.predict(docs)),
        ):
            with pytest.raises(TrainingError, match=text):
                learn()
        assert pipe.model.to_bytes() == weights
        assert dict(optimizer.nr_update) == known
        assert all(torch.equal(p.grad, g) for p, g in held.items())

    def test_a_pass_that_fails_leaves_the_gradients(self, component, monkeypatch):
        pipe, examples, held = ready(component)
        module = pipe.model.shims[0].module
        real = type(module).accumulate_gradients

        def interrupted(*args):
            real(*args)
            raise KeyboardInterrupt

        monkeypatch.setattr(type(module), "accumulate_gradients", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipe.update(examples)
        assert all(torch.equal(p.grad, g) for p, g in held.items())

    def test_all_that_learns_tells_examples_from_other_things(self, component):
        pipe, _, _ = ready(component)
        for method, call in (
            ("initialize", lambda: pipe.initialize(lambda: [1])),
            ("update", lambda: pipe.update([1])),
            ("get_loss", lambda: pipe.get_loss([1], [None])),
            ("rehearse", lambda: pipe.rehearse([1])),
            ("update", lambda: pipe.update(1)),
        ):
            text = rf"\[E978\] The {type(pipe).__name__}.{method} method takes .* got: .*int"
            with pytest.raises(TypeError, match=text):
                call()


class TextContract(ComponentContract):
    """Of components that read words, of which there may be none."""

    def test_empty_documents_train_and_predict(self, component):
        nlp, optimizer = component.trained(1)
        empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
        for examples in ([empty], [empty, empty], [empty, *component.examples(nlp)]):
            nlp.update(examples, sgd=optimizer)
        assert len(nlp("")) == 0
        assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
