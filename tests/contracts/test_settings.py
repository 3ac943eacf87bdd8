"""Errors in a config say where, what was expected, what came and what is near."""

import inspect
import pickle
import pydoc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import spacy
from confection import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.util import load_model_from_config, registry, resolve_dot_names

from rnnpipe.components import factories as bootstrap  # noqa: F401  (attaches our registries to spaCy's)
from rnnpipe.contracts.registry import REGISTRIES, decoders, embeddings, encoders
from rnnpipe.contracts.settings import REGISTRY_OF, checked
from rnnpipe.contracts.types import (
    Depth,
    DropoutRate,
    EmbeddingBuilder,
    EncoderBuilder,
    PositiveFloat,
    PositiveInt,
    Probability,
)
from rnnpipe.errors import PluginError, SettingsError


def encoder_builder(n_in: int) -> Any:
    raise AssertionError("nothing is built in these tests")


@encoders("test_settings.Encoder.v1")
def encoder(
    width: PositiveInt,
    depth: Depth = 1,
    dropout: DropoutRate = None,
    recurrent_dropout: Probability = 0.0,
    rate: PositiveFloat = 1.0,
    kind: Literal["tanh", "relu"] = "tanh",
    skip: bool = False,
    windows: tuple[int, ...] = (2, 3),
    weights: dict[str, float] | None = None,
    label: str = "",
) -> EncoderBuilder:
    if dropout and depth == 1:
        raise SettingsError("dropout: expected no value at depth 1, got one.")
    if width == 13:
        raise SettingsError("test_settings.Encoder.v1: expected better luck, got 13.")
    if width == 14:
        raise SettingsError("expected an odd number, got 14.")
    return encoder_builder


@embeddings("test_settings.Nested.v1")
def nested(parts: dict[str, EncoderBuilder], one: EncoderBuilder | None = None) -> list[str]:
    return sorted(parts)


@decoders("test_settings.Decoder.v1")
def decoder() -> EncoderBuilder:
    return encoder_builder


def block(**settings: Any) -> dict[str, Any]:
    return {"@rnnpipe_encoders": "test_settings.Encoder.v1", **settings}


def resolve(**settings: Any) -> Any:
    return registry.resolve({"model": {"encoder": block(**settings)}})["model"]["encoder"]


def refusal(error: type[Exception], action: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(error) as caught:
        action(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "value", "want"),
    [
        ("width", -3, "an integer greater than 0"),
        ("width", 2.5, "an integer greater than 0"),
        ("width", "wide", "an integer greater than 0"),
        ("width", True, "an integer greater than 0"),
        ("width", None, "an integer greater than 0"),
        ("depth", 9, "an integer of at least 1 and at most 8"),
        ("dropout", 1.0, "a number of at least 0 and less than 1 or null"),
        ("recurrent_dropout", -0.1, "a number of at least 0 and less than 1"),
        ("rate", 0, "a number greater than 0"),
        ("rate", float("nan"), "a number greater than 0"),
        ("kind", "sigmoid", "one of 'tanh', 'relu'"),
        ("skip", "maybe", "true or false"),
        ("windows", 3, "a list"),
        ("weights", [1.0], "a mapping or null"),
        ("label", 1, "text"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(setting, value, want):
    message = refusal(SettingsError, resolve, **{"width": 1, setting: value})
    assert message == f"model.encoder.{setting}: expected {want}, got {value!r}."


def test_a_mistyped_setting_is_named_with_the_nearest_and_what_is_now_missing():
    assert refusal(SettingsError, resolve, widht=3) == (
        "model.encoder.widht: expected a setting of test_settings.Encoder.v1, got 'widht'. "
        "Did you mean 'width' or 'weights' or 'windows'?\n"
        "model.encoder.width: expected an integer greater than 0, got no value. Set width."
    )


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1))
def test_any_unknown_setting_is_named(name):
    message = refusal(SettingsError, resolve, width=1, **{f"x_{name}": 1})
    assert message.startswith(f"model.encoder.x_{name}: expected a setting of test_settings.Enc")


def test_values_arrive_as_the_function_wants_them():
    @encoders("test_settings.Echo.v1")
    def echo(rate: PositiveFloat, windows: tuple[int, ...]) -> list[Any]:
        return [rate, windows]

    config = {"x": {"@rnnpipe_encoders": "test_settings.Echo.v1", "rate": 1, "windows": [2, 3]}}
    rate, windows = registry.resolve(config)["x"]
    assert isinstance(rate, float)
    assert windows == (2, 3)


def test_settings_of_nested_blocks_have_the_whole_path():
    parts = {"a": block(width=2), "b": block(width=0)}
    config = {"m": {"@rnnpipe_embeddings": "test_settings.Nested.v1", "parts": parts}}
    assert refusal(SettingsError, registry.resolve, config) == (
        "m.parts.b.width: expected an integer greater than 0, got 0."
    )


@pytest.mark.parametrize("came", ["rnnpipe_decoders", "architectures"])
def test_a_part_of_another_kind_is_refused(came):
    wrong = {f"@{came}": "test_settings.Decoder.v1"}
    config = {"m": {"@rnnpipe_embeddings": "test_settings.Nested.v1", "parts": {"a": wrong}}}
    assert refusal(SettingsError, registry.resolve, config) == (
        f"m.parts.a: expected a block with @rnnpipe_encoders, got '@{came}'."
    )


def test_a_plain_value_is_no_part():
    config = {
        "m": {"@rnnpipe_embeddings": "test_settings.Nested.v1", "parts": {}, "one": "BiLSTM"},
    }
    assert refusal(SettingsError, registry.resolve, config) == (
        "m.one: expected a block with @rnnpipe_encoders, got 'BiLSTM'."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"width": 1, "dropout": 0.5}, ".dropout: expected no value at depth 1, got one."),
        ({"width": 13}, ": expected better luck, got 13."),
        ({"width": 14}, ": expected an odd number, got 14."),
    ],
)
def test_errors_that_a_function_raises_get_the_path(given, message):
    assert refusal(SettingsError, resolve, **given) == "model.encoder" + message


def test_of_two_blocks_of_one_name_the_wrong_one_is_named():
    config = {"a": block(width=1), "b": block(width=13)}
    assert refusal(SettingsError, registry.resolve, config).startswith("b: expected better luck")


def test_without_a_config_the_registered_name_is_the_path():
    make = encoders.get("test_settings.Encoder.v1")
    assert make(3, depth=2, dropout=0.5) is encoder_builder
    assert refusal(SettingsError, make, width=0) == (
        "test_settings.Encoder.v1.width: expected an integer greater than 0, got 0."
    )
    assert refusal(SettingsError, make, 1, 1, 0.5) == (
        "test_settings.Encoder.v1.dropout: expected no value at depth 1, got one."
    )


def test_variable_arguments_are_refused():
    def variable(*widths: int) -> None: ...

    message = refusal(PluginError, checked("rnnpipe_encoders", "test_settings.X.v1"), variable)
    assert message == (
        "test_settings.X.v1: expected a function of named settings, got '*widths: int'."
    )


def test_types_that_cannot_be_evaluated_are_refused():
    def strange(width: "Nowhere") -> None: ...  # noqa: F821

    call = checked("rnnpipe_encoders", "test_settings.Strange.v1")(strange)
    assert refusal(PluginError, call, width=1) == (
        "test_settings.Strange.v1: expected annotations that pydantic can check, got name 'Nowhere'"
        " is not defined. Import the types of settings at run time, and mark protocols "
        "runtime_checkable."
    )


def test_of_a_corpus():
    reader = {"@readers": "rnnpipe.LineCorpus.v1", "path": "x", "files": {}, "sead": 1}
    config = {"corpora": {"train": reader}}
    assert refusal(SettingsError, resolve_dot_names, config, ["corpora.train"]) == (
        "corpora.train.sead: expected a setting of rnnpipe.LineCorpus.v1, got 'sead'. "
        "Did you mean 'seed'?"
    )


class TestComponents:
    """Inside a pipeline the path starts with the component's own name, not its factory's."""

    def add(self, **config: Any) -> str:
        nlp = spacy.blank("en")
        nlp.add_pipe("rnn_tagger", name="first", config={"model": {"encoder": block(width=1)}})
        return refusal(SettingsError, nlp.add_pipe, "rnn_tagger", name="second", config=config)

    def test_of_a_part(self):
        assert self.add(model={"encoder": block(width=-3)}) == (
            "components.second.model.encoder.width: expected an integer greater than 0, got -3."
        )

    def test_of_the_network(self):
        assert self.add(model={"encoder": block(width=1), "precison": "float32"}) == (
            "components.second.model.precison: expected a setting of rnnpipe.Network.v1, "
            "got 'precison'. Did you mean 'precision'?"
        )

    def test_of_the_component(self):
        assert self.add(atribute="pos") == (
            "components.second.atribute: expected a setting of rnn_tagger, got 'atribute'. "
            "Did you mean 'attribute'?"
        )

    def test_raised_by_a_part(self):
        assert self.add(model={"encoder": block(width=1, dropout=0.2)}) == (
            "components.second.model.encoder.dropout: expected no value at depth 1, got one."
        )

    def test_in_a_config_with_variables(self):
        config = Config().from_str(
            """
            [nlp]
            lang = "en"
            pipeline = ["mine"]
            [sizes]
            width = 0
            [components]
            [components.mine]
            factory = "rnn_tagger"
            [components.mine.model]
            @architectures = "rnnpipe.Network.v1"
            [components.mine.model.encoder]
            @rnnpipe_encoders = "test_settings.Encoder.v1"
            width = ${sizes.width}
            """.replace("            ", ""),
            interpolate=False,
        )
        assert refusal(SettingsError, load_model_from_config, config, auto_fill=True) == (
            "components.mine.model.encoder.width: expected an integer greater than 0, got 0."
        )

    def test_of_spacys_own(self):
        encode = {
            "@architectures": "rnnpipe.Tok2VecEncoder.v1",
            "encoder": block(width=1, dpth=2),
        }
        embed = {"@architectures": "spacy.CharacterEmbed.v2", "width": 8, "nM": 8, "nC": 2}
        embed |= {"rows": 9, "include_static_vectors": False}
        model = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
        nlp = spacy.blank("en")
        assert refusal(SettingsError, nlp.add_pipe, "tok2vec", config={"model": model}) == (
            "components.tok2vec.model.encode.encoder.dpth: expected a setting of "
            "test_settings.Encoder.v1, got 'dpth'. Did you mean 'depth' or 'width' or 'dropout'?"
        )

    def test_defaults_are_filled_in(self):
        nlp = spacy.blank("en")
        nlp.add_pipe("rnn_tagger", config={"model": {"encoder": block(width=7)}})
        filled = nlp.config["components"]["rnn_tagger"]["model"]["encoder"]
        assert filled == block(width=7) | {
            "depth": 1,
            "dropout": None,
            "recurrent_dropout": 0.0,
            "rate": 1.0,
            "kind": "tanh",
            "skip": False,
            "windows": (2, 3),
            "weights": None,
            "label": "",
        }


def test_parts_of_every_registry_may_be_settings():
    assert set(REGISTRY_OF.values()) == {registry.group for registry in REGISTRIES}


def test_embedding_builders_pass_as_such():
    @embeddings("test_settings.Needs.v1")
    def needs(part: EmbeddingBuilder) -> EmbeddingBuilder:
        return part

    message = refusal(SettingsError, embeddings.get("test_settings.Needs.v1"), part=3)
    assert message == (
        "test_settings.Needs.v1.part: expected a block with @rnnpipe_embeddings, got 3."
    )


@encoders("test_settings.Scaled.v1")
@dataclass(frozen=True)
class Scaled:
    """States of a size."""

    width: PositiveInt
    scale: PositiveFloat = 1.0

    def __post_init__(self) -> None:
        if self.scale > self.width:
            raise SettingsError(f"scale: expected at most {self.width}, got {self.scale}.")

    def __call__(self, n_in: int) -> Any:
        return n_in, self.width, self.scale


@encoders("test_settings.Inherited.v1")
class Inherited(Scaled):
    """The same settings under another name."""


@pytest.mark.parametrize("name", ["Scaled", "Inherited"])
class TestDataclasses:
    """The fields of a registered dataclass are settings, as the parameters of a function are."""

    def make(self, name: str, **settings: Any) -> Any:
        block = {"@rnnpipe_encoders": f"test_settings.{name}.v1", **settings}
        return registry.resolve({"model": {"encoder": block}})["model"]["encoder"]

    def test_it_is_what_a_block_makes(self, name):
        made = self.make(name, width=3, scale=2)
        assert type(made).__name__ == name
        assert made(5) == (5, 3, 2.0)
        assert isinstance(made.scale, float)
        assert made == pickle.loads(pickle.dumps(made))

    def test_fields_are_checked(self, name):
        assert refusal(SettingsError, self.make, name, widht=3) == (
            f"model.encoder.widht: expected a setting of test_settings.{name}.v1, got 'widht'. "
            "Did you mean 'width'?\n"
            "model.encoder.width: expected an integer greater than 0, got no value. Set width."
        )

    def test_errors_of_post_init_get_the_path(self, name):
        assert refusal(SettingsError, self.make, name, width=3, scale=4.0) == (
            "model.encoder.scale: expected at most 3, got 4.0."
        )


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        (encoders.get("rnnpipe.BiLSTM.v1"), "BiLSTM(width: 'PositiveInt', depth: 'Depth' = 1, "),
        (decoders.get("rnnpipe.Sigmoid.v1"), "Sigmoid(positive_weights: 'dict[str, PositiveFloat]"),
    ],
)
def test_help_shows_settings_with_their_types_and_the_docstring(registered, shown):
    text = pydoc.plain(pydoc.render_doc(registered))
    # Since Python 3.13, a long signature stands on several lines.
    assert "".join(shown.split()) in "".join(text.split())
    assert inspect.getdoc(inspect.unwrap(registered)).partition("\n")[0] in text


def test_a_class_that_is_no_dataclass_is_checked_by_the_annotations_of_its_init():
    @encoders("test_settings.Plain.v1")
    class Plain:
        def __init__(self, width: PositiveInt) -> None: ...

    assert refusal(SettingsError, encoders.get("test_settings.Plain.v1"), width=0) == (
        "test_settings.Plain.v1.width: expected an integer greater than 0, got 0."
    )
