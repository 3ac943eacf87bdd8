"""Canaries: what fails here was changed by a release of torch, thinc, spaCy or confection."""

import ast
import inspect
import re
from importlib import import_module
from importlib.metadata import requires, version
from pkgutil import resolve_name

import catalogue
import pytest
import spacy
import torch
from helpers.paths import ROOT
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.training import Example
from spacy.util import registry, resolve_dot_names
from thinc.api import Linear, PyTorchShim
from torch import nn
from torch.testing import assert_close
from typer.main import get_command

from rnnpipe.contracts.compat import (
    PRIVATE,
    broken,
    config_in_progress,
    forget_batch,
    has_network,
    link_listeners,
    private,
)
from rnnpipe.contracts.settings import _Signature

CANARIES = {}


def canary(*names):
    """Let a function check what we rely on of these names."""

    def keep(check):
        CANARIES.update(dict.fromkeys(names, check))
        return check

    return keep


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_name_is_as_it_was(name, request):
    needed = list(inspect.signature(CANARIES[name]).parameters)[1:]
    try:
        CANARIES[name](name, *map(request.getfixturevalue, needed))
    except Exception as error:
        raise AssertionError(broken(name, f"{type(error).__name__}: {error}")) from error


@canary("torch._VF.gru", "torch._VF.lstm", "torch._VF.rnn_relu", "torch._VF.rnn_tanh")
def kernels_compute_packed_steps(name):
    kernel = name.rpartition(".")[2]
    modules = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn_relu": nn.RNN, "rnn_tanh": nn.RNN}
    settings = {"nonlinearity": "relu"} if kernel == "rnn_relu" else {}
    module = modules[kernel](3, 2, bidirectional=True, **settings)
    padded = torch.randn(4, 2, 3)
    lengths = torch.tensor([4, 2])
    packed = nn.utils.rnn.pack_padded_sequence(padded, lengths)
    begin = [torch.zeros(2, 2, 2)] * (2 if kernel == "lstm" else 1)
    states, *final = private(name)(
        packed.data,
        packed.batch_sizes,
        begin if kernel == "lstm" else begin[0],
        list(module.parameters()),
        True,
        1,
        0.0,
        False,
        True,
    )
    wanted, wanted_final = module(packed)
    assert_close(states, wanted.data)
    assert_close(final, list(wanted_final) if kernel == "lstm" else [wanted_final])


def tensors(*values):
    return [torch.tensor([value]) for value in values]


@canary("torch._foreach_add_")
def adds_in_place_with_a_factor(name):
    sums = tensors(1.0, 2.0)
    private(name)(sums, tensors(3.0, 4.0), alpha=-0.5)
    assert_close(sums, tensors(-0.5, 0.0))


@canary("torch._foreach_addcmul_")
def adds_products_in_place_with_a_factor(name):
    sums = tensors(1.0, 2.0)
    private(name)(sums, tensors(3.0, 4.0), tensors(3.0, 4.0), value=0.5)
    assert_close(sums, tensors(5.5, 10.0))


@canary("torch._foreach_copy_")
def copies_in_place(name):
    copies = tensors(1.0, 2.0)
    addresses = [copy.data_ptr() for copy in copies]
    private(name)(copies, tensors(3.0, 4.0))
    assert_close(copies, tensors(3.0, 4.0))
    assert [copy.data_ptr() for copy in copies] == addresses


@canary("torch._foreach_lerp_")
def moves_a_share_of_the_way(name):
    moved = tensors(1.0, 2.0)
    private(name)(moved, tensors(3.0, 6.0), 0.25)
    assert_close(moved, tensors(1.5, 3.0))


@canary("torch._foreach_mul_")
def multiplies_in_place(name):
    products = tensors(1.0, 2.0)
    private(name)(products, 0.5)
    private(name)(products, torch.tensor(4.0))
    assert_close(products, tensors(2.0, 4.0))


@canary("torch._foreach_norm")
def gives_a_norm_per_tensor(name):
    assert_close(
        list(private(name)([torch.tensor([3.0, 4.0]), torch.tensor([-2.0])])),
        [torch.tensor(5.0), torch.tensor(2.0)],
    )


@canary("torch._fused_adamw_")
def steps_by_adam_without_correcting_when_the_step_is_infinite(name):
    weight, gradient, first, second = tensors(1.0, 4.0, 0.0, 0.0)
    private(name)(
        [weight],
        [gradient],
        [first],
        [second],
        [],
        [torch.tensor(float("inf"))],
        lr=0.1,
        beta1=0.9,
        beta2=0.99,
        weight_decay=0.5,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
        grad_scale=torch.tensor(2.0),
    )
    assert_close([first, second], tensors(0.2, 0.04))
    assert_close(weight, torch.tensor([1.0 * (1.0 - 0.1 * 0.5) - 0.1 * 0.2 / 0.2]))


@canary("thinc.shims.Shim._model")
def a_shim_keeps_its_module_there(name):
    module = nn.Linear(1, 1)
    assert PyTorchShim(module)._model is module
    assert has_network(PyTorchShim(module))
    assert not has_network(PyTorchShim(None))
    assert has_network(object())  # of other kinds we know nothing


@canary("spacy.cli.app")
def spacy_runs_the_commands_that_are_added(name):
    import_module("rnnpipe.cli.spacy_command")
    assert {"train", "rnn"} <= get_command(private(name)).commands.keys()


@canary("spacy.cli._util.parse_config_overrides")
def parses_values_as_json(name):
    given = private(name)(["--training.max_steps", "3", "--paths.train=a.spacy"])
    assert given == {"training.max_steps": 3, "paths.train": "a.spacy"}


def nlp_with_listener():
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listens = {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"},
    }
    nlp.add_pipe("tagger", config={"model": listens})
    nodes = nlp.get_pipe("tagger").model.walk()
    return nlp, next(node for node in nodes if isinstance(node, Tok2VecListener))


@canary("spacy.language.Language._link_components")
def linking_tells_a_component_who_listens(name):
    nlp, listener = nlp_with_listener()
    tok2vec = nlp.get_pipe("tok2vec")
    tok2vec.remove_listener(listener, "tagger")
    assert tok2vec.listeners == []
    link_listeners(nlp)
    assert tok2vec.listeners == [listener]


@canary("spacy.pipeline.tok2vec.Tok2VecListener._batch_id")
def a_listener_waits_for_its_batch_until_it_forgets_it(name):
    nlp, listener = nlp_with_listener()
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("a"), {"tags": ["X"]})])
    nlp.get_pipe("tok2vec").update([Example(nlp.make_doc("a"), nlp.make_doc("a"))], sgd=None)
    other = nlp.get_pipe("tok2vec")(nlp.make_doc("another"))
    with pytest.raises(ValueError, match="E953"):
        listener.begin_update([other])
    forget_batch(listener)
    (vectors,), _ = listener.begin_update([other])
    assert_close(torch.tensor(vectors), torch.tensor(other.tensor))


@canary("spacy.pipeline.TrainablePipe._rehearsal_model")
def resume_training_keeps_a_copy_of_the_model_there(name):
    nlp, _ = nlp_with_listener()
    tagger = nlp.get_pipe("tagger")
    assert tagger._rehearsal_model is None
    nlp.resume_training()
    assert tagger._rehearsal_model.name == tagger.model.name
    assert tagger._rehearsal_model is not tagger.model


BLOCK = {"@misc": "canary.v1", "width": 1}


@pytest.fixture
def seen(monkeypatch):
    """What is in progress when confection reads a function's settings, and when it calls it."""
    found = []

    def note(width=1):
        found.append(config_in_progress())
        return Linear()

    note.__signature__ = _Signature(inspect.signature(note), note)
    monkeypatch.setitem(catalogue.REGISTRY, ("spacy", "misc", "canary.v1"), note)
    return found


@canary("confection._registry.fill(config)")
def filling_has_the_config_on_the_stack(name, seen):
    registry.fill({"part": {"inner": BLOCK}})
    assert seen
    assert all(came == ("", {"part": {"inner": BLOCK}}) for came in seen)


@canary("confection._registry.resolve(config)")
def resolving_has_the_config_on_the_stack(name, seen):
    registry.resolve({"part": {"inner": BLOCK}})
    assert seen[-1] == ("", {"part": {"inner": BLOCK}})


@canary("spacy.language.create_pipe(name, config)")
def creating_a_component_has_its_name_and_config_on_the_stack(name, seen):
    spacy.blank("en").create_pipe("tok2vec", "mine", config={"model": BLOCK})
    assert {path for path, _ in seen} == {"components.mine"}
    assert all(config["model"] == BLOCK for _, config in seen)


@canary("spacy.util.resolve_dot_names(section)")
def resolving_a_corpus_has_its_section_on_the_stack(name, seen):
    resolve_dot_names({"corpora": {"train": BLOCK}}, ["corpora.train"])
    assert seen
    assert all(came == ("corpora", {"train": BLOCK}) for came in seen)


def test_a_name_that_is_gone_says_what_depends_on_it(monkeypatch):
    monkeypatch.setitem(PRIVATE, "torch._gone", "the weather")
    with pytest.raises(ImportError) as caught:
        private("torch._gone")
    (tested,) = (r for r in requires("rnnpipe") if r.startswith("torch"))
    assert str(caught.value) == (
        f"torch._gone: expected the interface of {tested}, got no such name in torch "
        f"{version('torch')}. "
        "Needed for: the weather. Install a tested version."
    )


#: What is not private but not documented either, with the parameters that we pass.
UNDOCUMENTED = {
    "catalogue.AVAILABLE_ENTRY_POINTS.select": "",
    "catalogue.REGISTRY.get": "",
    "confection.ConfigValidationError": "desc title show_config",
    "spacy.schemas.ConfigSchemaTraining": "",
    "spacy.training.batchers.minibatch_by_words": "seqs size",
    "spacy.training.initialize.init_nlp": "config",
    "spacy.training.loggers.setup_table": "cols widths",
    "spacy.training.loop.create_evaluation_callback": "nlp dev_corpus weights",
    "spacy.training.loop.create_train_batches": "nlp corpus batcher max_epochs",
    "spacy.training.loop.train_while_improving": (
        "nlp optimizer train_data evaluate dropout eval_frequency accumulate_gradient patience "
        "max_steps exclude annotating_components before_update"
    ),
    "spacy.training.loop.update_meta": "training nlp info",
    "spacy.util.load_model_from_config": "config auto_fill",
    "thinc.layers.pytorchwrapper.convert_pytorch_default_inputs": "model X is_train",
    "thinc.layers.pytorchwrapper.convert_pytorch_default_outputs": "model X_Ytorch is_train",
    "thinc.util.convert_recursive": "is_match convert_item obj",
}


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_an_undocumented_name_takes_what_we_pass(name):
    found = resolve_name(name)
    if wanted := UNDOCUMENTED[name].split():
        assert inspect.signature(found).parameters.keys() >= set(wanted)


FOREIGN = {"catalogue", "confection", "spacy", "thinc", "torch"}
SOURCES = [
    path
    for path in sorted((ROOT / "rnnpipe").rglob("*.py"))
    if "templates" not in path.parts and path.name != "compat.py"
]


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name != "_"


def private_uses(tree):
    """Private names that a module uses of what it has neither made itself nor inherited."""
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own |= {"_replace", "_fields", "_asdict", "_getframe"}  # documented: namedtuple, sys
    uses = set()
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            uses |= {(names[0], name) for name in ".".join(names).split(".")}
        elif isinstance(node, ast.Attribute):
            uses.add((ast.unparse(node.value), node.attr))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr"):
            uses |= {(ast.unparse(node.args[0]), getattr(node.args[1], "value", ""))}
    own |= {name for whose, name in uses if whose in ("self", "cls", "super()")}
    return {f"{whose}.{name}" for whose, name in uses if is_private(str(name)) and name not in own}


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch._VF.lstm()",
        "from spacy.cli._util import app",
        "from torch import _VF",
        "def f(nlp):\n    nlp._link_components()",
        "def f(nlp):\n    return getattr(nlp, '_components', None)",
        "def f(listener):\n    listener._batch_id = None",
    ],
)
def test_private_uses_are_found(code):
    assert list(private_uses(ast.parse(code)))


def test_private_names_are_used_nowhere_else():
    found = {
        f"{path.relative_to(ROOT)}: {use}"
        for path in SOURCES
        for use in private_uses(ast.parse(path.read_text(encoding="utf8")))
    }
    assert found == set()


def names_of(base):
    """Of a class, and of its instances where its source can be read."""
    try:
        return {*vars(base), *re.findall(r"self\.(\w+)", inspect.getsource(base))}
    except (OSError, TypeError):  # compiled
        return set(vars(base))


def inherited(path):
    """Private names of bases that are not ours, which classes of a module use or define."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        made = getattr(import_module(module), node.name, None) if is_derived(node) else None
        if made is not None:
            used = set(re.findall(r"(?:self|super\(\))\.(\w+)", ast.unparse(node)))
            used |= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            for base in made.__mro__[1:]:
                if base.__module__.partition(".")[0] in FOREIGN:
                    names = filter(is_private, used & names_of(base))
                    yield from (f"{node.name}.{name}" for name in names)


def is_derived(node):
    return isinstance(node, ast.ClassDef) and bool(node.bases)


def test_of_inherited_private_names_only_that_of_shims_is_used():
    modules = [path for path in SOURCES if not path.name.startswith("__")]
    assert {name for path in modules for name in inherited(path)} == {"TorchShim._model"}
