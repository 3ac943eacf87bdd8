"""What every component keeps to, whatever it reads and writes: each test file of a component names
a fixture ``component`` and a subclass of one of these contracts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed


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
    waits_in: str = "backward"

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
        if component.waits_in == "backward":
            # Tied weights are two on a device without memory, which both have a gradient.
            assert gradients_of(shim.module) >= reached


class TextContract(ComponentContract):
    """Of components that read words, of which there may be none."""

    def test_empty_documents_train_and_predict(self, component):
        nlp, optimizer = component.trained(1)
        empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
        for examples in ([empty], [empty, empty], [empty, *component.examples(nlp)]):
            nlp.update(examples, sgd=optimizer)
        assert len(nlp("")) == 0
        assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
