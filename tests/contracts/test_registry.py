"""Names resolve under plain spaCy, and no plugin can break another or take its name."""

import ast
import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import catalogue
import pytest
import spacy
from confection import Config
from helpers.paths import ROOT
from spacy.cli._util import app
from spacy.cli.package import get_third_party_dependencies
from spacy.util import registry
from typer.testing import CliRunner

from rnnpipe.components import factories as bootstrap  # noqa: F401  (attaches our registries to spaCy's)
from rnnpipe.contracts.registry import (
    REGISTRIES,
    Plugin,
    decoders,
    embeddings,
    encoders,
    installed_plugins,
    poolers,
)
from rnnpipe.errors import ConfigError, PluginError, UnknownComponentError

VERSION = importlib.metadata.version("rnnpipe")

WORKING = """
from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import EncoderBuilder, PositiveInt

@encoders("acme.Echo.v1")
def Echo(width: PositiveInt, depth: PositiveInt = 2) -> EncoderBuilder:
    "Repeats itself."
    return lambda n_in: (n_in, width, depth)
"""


@pytest.fixture(autouse=True)
def forget():
    """What a test registers and imports is gone after it."""
    before, modules = set(catalogue.REGISTRY), set(sys.modules)
    yield
    groups = {r.group for r in REGISTRIES}
    for key in set(catalogue.REGISTRY) - before:
        if key[0] in groups and not key[-1].startswith("rnnpipe."):
            del catalogue.REGISTRY[key]
    for name in set(sys.modules) - modules:
        if name.startswith(("acme", "other")):
            del sys.modules[name]


def refusal(error: type[Exception], action, *args) -> str:
    with pytest.raises(error) as caught:
        action(*args)
    return str(caught.value)


def plugins_of(*distributions: str) -> list[Plugin]:
    """Of those that a test has installed, whatever else there is."""
    return [plugin for plugin in installed_plugins() if plugin.distribution in distributions]


def resolve(name: str, group: str = "rnnpipe_encoders", **settings):
    return registry.resolve({"model": {"part": {f"@{group}": name, **settings}}})["model"]["part"]


def entries_of(text: str, group: str = "rnnpipe_encoders") -> str:
    return f"[{group}]\n{text}\n"


class TestBuiltins:
    """setup.py, the decorators in the source and the installed metadata are one table."""

    @pytest.fixture
    def table(self) -> set[tuple[str, str, str]]:
        """Group, name and target of every line of the table in setup.py."""
        tree = ast.parse((ROOT / "setup.py").read_text())
        (table,) = (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and node.targets[0].id == "REGISTERED"
        )
        return {(group, *line.split(" = ")) for group, lines in table.items() for line in lines}

    @pytest.fixture
    def modules(self) -> None:
        """Everything is imported, so that every decorator has run."""
        package = importlib.import_module("rnnpipe")
        for module in pkgutil.walk_packages(package.__path__, "rnnpipe."):
            if not module.name.startswith(("rnnpipe.__main__", "rnnpipe.cli.spacy_command")):
                importlib.import_module(module.name)

    @pytest.mark.usefixtures("modules")
    def test_every_decorated_function_is_in_setup_py(self, table):
        groups = {r.group for r in REGISTRIES}
        decorated = {
            ("_".join(key[:-1]), key[-1], f"{function.__module__}:{function.__qualname__}")
            for key, function in catalogue.REGISTRY.items()
            if key[-1].startswith("rnnpipe.")
        }
        assert {row for row in table if row[0] in groups} == {
            r for r in decorated if r[0] in groups
        }
        assert {row for row in table if row[0] == "spacy_readers"} == {
            row for row in decorated if row[0] == "spacy_readers"
        }

    def test_the_installation_is_up_to_date(self, table):
        installed = importlib.metadata.distribution("rnnpipe").entry_points
        groups = {group for group, _, _ in table}
        assert table == {(e.group, e.name, e.value) for e in installed if e.group in groups}, (
            "install the package again: pip install -e ."
        )

    def test_every_name_loads_and_checks_its_settings(self, table):
        for group, name, _ in sorted(table):
            function = getattr(registry, group.removeprefix("spacy_")).get(name)
            message = refusal(ConfigError, partial(function, **{"no such setting": 1}))
            assert message.startswith(f"{name}.no such setting: expected a setting of {name}, got")

    def test_no_builtin_is_a_plugin(self):
        assert not [p for p in installed_plugins() if p.name.startswith("rnnpipe.")]


class TestSpacy:
    def test_spacy_has_the_registries(self):
        names = registry.get_registry_names()
        for ours in REGISTRIES:
            assert ours.group in names
            assert getattr(registry, ours.group) is ours

    def test_functions_are_found_with_their_source(self):
        found = registry.find("rnnpipe_poolers", "rnnpipe.Mean.v1")
        assert found["module"] == "rnnpipe.parts.poolers.mean"
        assert Path(found["file"]).name == "mean.py"
        assert found["line_no"] > 1
        assert found["docstring"]

    def test_unknown_names_are_no_registry_error(self):
        # spaCy catches catalogue's and writes its own text.
        assert not issubclass(UnknownComponentError, catalogue.RegistryError)

    @pytest.mark.parametrize("command", ["debug config", "init fill-config", "train", "assemble"])
    def test_commands_name_the_mistake(self, tmp_path, command):
        nlp = spacy.blank("en")
        nlp.add_pipe("rnn_tagger", name="mine")
        config = Config(nlp.config)
        config["components"]["mine"]["model"]["encoder"]["width"] = -1
        config.to_disk(tmp_path / "config.cfg")
        output = [str(tmp_path / "output")] if command == "assemble" else []
        arguments = [*command.split(), str(tmp_path / "config.cfg"), *output]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1
        message = "components.mine.model.encoder.width: expected an integer greater than 0, got -1."
        if command == "assemble":  # lets every error of a config through
            assert str(result.exception) == message
        else:
            assert isinstance(result.exception, SystemExit)
            assert message in result.stdout


class TestThirdParties:
    def test_a_plugin_resolves_by_its_entry_point_alone(self, install):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
        assert resolve("acme.Echo.v1", width=3)(5) == (5, 3, 2)
        assert (
            refusal(ConfigError, lambda: resolve("acme.Echo.v1", width=0))
            == "model.part.width: expected an integer greater than 0, got 0."
        )
        assert plugins_of("acme-one") == [
            Plugin("rnnpipe_encoders", "acme.Echo.v1", "acme_one:Echo", "acme-one", "1.2", None)
        ]

    def test_a_folder_with_its_metadata_is_enough(self, tmp_path, install, monkeypatch):
        info = tmp_path / "acme.egg-info"
        info.mkdir()
        (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 0.4\n")
        (info / "entry_points.txt").write_text(entries_of("acme.Echo.v1 = acme_one:Echo"))
        (tmp_path / "acme_one.py").write_text(WORKING)
        monkeypatch.syspath_prepend(tmp_path)
        install("other", "2.0", "", "")  # and have the path looked through again
        (plugin,) = plugins_of("acme")
        assert (plugin.version, plugin.error) == ("0.4", None)

    def test_its_decorator_is_not_needed(self, install):
        code = WORKING.replace('@encoders("acme.Echo.v1")\n', "")
        install("acme-one", "1.2", code, entries_of("acme.Echo.v1 = acme_one:Echo"))
        assert resolve("acme.Echo.v1", width=3)(5) == (5, 3, 2)

    def test_it_is_imported_when_it_is_named(self, install):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
        assert "acme.Echo.v1" in encoders
        assert "acme.Echo.v1" in encoders.names()
        assert "acme.Echo.v1" not in poolers
        assert "acme_one" not in sys.modules

    def test_it_works_under_plain_spacy_commands(self, install, tmp_path, monkeypatch):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "acme-one-1.2"))
        nlp = spacy.blank("en")
        nlp.add_pipe(
            "rnn_tagger",
            config={"model": {"encoder": {"@rnnpipe_encoders": "acme.Echo.v1", "width": 3}}},
        )
        config = Config(nlp.config)
        del config["components"]["rnn_tagger"]["model"]["encoder"]["depth"]
        config.to_disk(tmp_path / "config.cfg")
        command = [sys.executable, "-m", "spacy", "init", "fill-config", "config.cfg", "filled.cfg"]
        result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        filled = Config().from_disk(tmp_path / "filled.cfg")
        encoder = filled["components"]["rnn_tagger"]["model"]["encoder"]
        assert encoder == {"@rnnpipe_encoders": "acme.Echo.v1", "width": 3, "depth": 2}


class TestBrokenPlugins:
    @pytest.fixture(
        params=[
            ("import acme_missing", "ModuleNotFoundError: No module named 'acme_missing'"),
            ("def", "SyntaxError: "),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("other = 1", "AttributeError: module 'acme_broken' has no attribute 'Echo'"),
        ],
        ids=lambda param: param[0],
    )
    def reason(self, request, install) -> str:
        code, reason = request.param
        install("acme-broken", "0.3", code, entries_of("acme.Echo.v1 = acme_broken:Echo"))
        install(
            "other", "2.0", WORKING.replace("acme", "other"), entries_of("other.E.v1=other:Echo")
        )
        return reason

    @pytest.mark.usefixtures("reason")
    def test_it_breaks_neither_spacy_nor_another_plugin(self):
        spacy.blank("en").add_pipe("sentencizer")
        assert resolve("other.E.v1", width=1)(1) == (1, 1, 2)
        assert "other.E.v1" in encoders.get_all()
        assert "acme.Echo.v1" not in encoders.get_all()

    def test_it_is_reported(self, reason):
        by_name = {plugin.name: plugin for plugin in installed_plugins()}
        broken = by_name["acme.Echo.v1"]
        assert (broken.distribution, broken.version) == ("acme-broken", "0.3")
        assert reason in broken.error
        assert by_name["other.E.v1"].error is None

    def test_a_config_that_names_it_is_told_why(self, reason):
        message = refusal(PluginError, resolve, "acme.Echo.v1")
        assert message.startswith(
            f"model.part: expected acme.Echo.v1 to be importable, got {reason}"
        )
        assert "Repair, update or uninstall acme-broken 0.3 (" in message

    def test_a_config_that_names_something_unknown_is_told_too(self, reason):
        message = refusal(UnknownComponentError, resolve, "acme.Ecko.v1")
        assert "Did you mean 'acme.Echo.v1'" in message
        assert (
            "Plugins that cannot be used:\n  acme.Echo.v1: expected acme.Echo.v1 to be" in message
        )
        assert reason in message


@pytest.mark.parametrize(
    "malformed",
    [
        "name = outside:any_section\n[rnnpipe_encoders]\nacme.Echo.v1 = acme_one:Echo\n",
        "[rnnpipe_encoders]\na = b:c\na = b:d\n",
        "[rnnpipe_encoders]\nacme.bad.v1 = this is no target\n",
    ],
)
def test_a_malformed_entry_points_file_stops_no_listing(install, malformed):
    install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
    install("other-one", "0.1", "", malformed)
    plugins = {(plugin.distribution, plugin.name): plugin for plugin in installed_plugins()}
    assert ("acme-one", "acme.Echo.v1") in plugins
    if "bad" in malformed:
        bad = plugins["other-one", "acme.bad.v1"]
        assert bad.error.startswith("acme.bad.v1: expected acme.bad.v1 to be importable, got ")
    assert resolve("rnnpipe.Last.v1", "rnnpipe_poolers")


class TestUnknownNames:
    def test_a_mistyped_name(self):
        message = refusal(UnknownComponentError, resolve, "rnnpipe.LTSM.v1")
        assert message.startswith(
            "model.part: expected a name of @rnnpipe_encoders, got 'rnnpipe.LTSM.v1'. "
            "Did you mean 'rnnpipe.LSTM.v1' or "
        )
        assert "Install" not in message

    @pytest.mark.parametrize("name", ["LSTM", "LTSM"])
    def test_a_name_without_its_package_and_version(self, name):
        message = refusal(UnknownComponentError, resolve, name)
        assert message.startswith(
            f"model.part: expected a name of @rnnpipe_encoders, got '{name}'. "
            "Did you mean 'rnnpipe.LSTM.v1' or "
        )
        assert "Install" not in message

    def test_another_version(self):
        assert refusal(UnknownComponentError, resolve, "rnnpipe.LSTM.v99") == (
            "model.part: expected a name of @rnnpipe_encoders, got 'rnnpipe.LSTM.v99'. Installed "
            "is 'rnnpipe.LSTM.v1'. If the config was made with a newer version of 'rnnpipe', "
            "install that version."
        )

    def test_a_plugin_that_is_not_installed(self):
        message = refusal(UnknownComponentError, resolve, "acme.QRNN.v1")
        assert message.startswith(
            "model.part: expected a name of @rnnpipe_encoders, got 'acme.QRNN.v1'. "
        )
        assert message.endswith(
            "Install the plugin that provides it, by convention the package 'acme' or "
            "'rnnpipe-acme', or pass the file that registers it with --code."
        )

    def test_a_name_of_another_registry(self):
        assert refusal(UnknownComponentError, resolve, "rnnpipe.CRF.v1") == (
            "model.part: expected a name of @rnnpipe_encoders, got 'rnnpipe.CRF.v1'. "
            "The name is registered in @rnnpipe_decoders."
        )

    def test_in_a_component(self):
        nlp = spacy.blank("en")
        config = {"model": {"decoder": {"@rnnpipe_decoders": "acme.Semi.v1"}}}
        message = refusal(
            UnknownComponentError, lambda: nlp.add_pipe("rnn_ner", name="mine", config=config)
        )
        assert message.startswith("components.mine.model.decoder: expected a name of @rnnpipe_dec")

    def test_in_a_pipeline_whose_plugin_is_gone(self, install, tmp_path, monkeypatch):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
        nlp = spacy.blank("en")
        encoder = {"@rnnpipe_encoders": "acme.Echo.v1", "width": 3}
        nlp.add_pipe("rnn_ner", name="mine", config={"model": {"encoder": encoder}})
        nlp.config.to_disk(tmp_path / "config.cfg")
        monkeypatch.undo()
        for key in [key for key in catalogue.REGISTRY if key[-1] == "acme.Echo.v1"]:
            del catalogue.REGISTRY[key]
        config = Config().from_disk(tmp_path / "config.cfg")
        message = refusal(UnknownComponentError, spacy.util.load_model_from_config, config)
        assert message.startswith(
            "components.mine.model.encoder: expected a name of @rnnpipe_encoders, got "
            "'acme.Echo.v1'. "
        )
        assert "by convention the package 'acme' or 'rnnpipe-acme'" in message


class TestOneNameOneFunction:
    def test_two_distributions(self, install):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
        install("other", "3.0", "", entries_of("acme.Echo.v1 = other:Copy"))
        message = refusal(PluginError, resolve, "acme.Echo.v1")
        assert message.startswith("model.part: expected acme.Echo.v1 to be registered once, got it")
        assert "acme-one 1.2 (acme_one:Echo)" in message
        assert "other 3.0 (other:Copy)" in message
        assert [plugin.error for plugin in plugins_of("acme-one", "other")] == [
            message.replace("model.part", "acme.Echo.v1")
        ] * 2

    def test_a_distribution_and_this_process(self, install):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))

        def usurp() -> None: ...

        message = refusal(PluginError, encoders("acme.Echo.v1"), usurp)
        assert message.startswith("acme.Echo.v1: expected acme.Echo.v1 to be registered once, got")
        assert "from acme-one 1.2 (acme_one:Echo) and from this process (" in message
        assert resolve("acme.Echo.v1", width=1)(1) == (1, 1, 2)

    def test_twice_in_this_process(self):
        def first() -> None: ...

        def second() -> None: ...

        embeddings("test.Twice.v1")(first)
        message = refusal(PluginError, embeddings("test.Twice.v1"), second)
        assert "first) and from this process (" in message
        assert message.endswith("second). Uninstall or rename one of them.")
        assert embeddings.load("test.Twice.v1") is first

    def test_the_same_again(self):
        """As when a module is reloaded, or a notebook's cell is run again."""

        def make():
            def again() -> None: ...

            return again

        first, second = make(), make()
        decoders("test.Again.v1")(first)
        decoders("test.Again.v1", func=second)
        assert decoders.load("test.Again.v1") is second

    def test_reserved_names_in_this_process(self):
        def intruder() -> None: ...

        message = refusal(PluginError, encoders("rnnpipe.Fancy.v1"), intruder)
        assert message.startswith(
            "rnnpipe.Fancy.v1: expected a name that starts with the name of its package, got "
            "rnnpipe.Fancy.v1 from this process ("
        )
        assert message.endswith(
            "Names that start with 'rnnpipe.' are reserved for the distribution rnnpipe."
        )
        assert "rnnpipe.Fancy.v1" not in encoders

    def test_reserved_names_of_a_distribution(self, install):
        install("acme-one", "1.2", WORKING, entries_of("rnnpipe.Echo.v1 = acme_one:Echo"))
        message = refusal(PluginError, resolve, "rnnpipe.Echo.v1")
        assert "got rnnpipe.Echo.v1 from acme-one 1.2 (acme_one:Echo)" in message
        assert "reserved for the distribution rnnpipe" in message
        assert "acme_one" not in sys.modules

    def test_a_builtin_taken_by_a_distribution(self, install):
        install("acme-one", "1.2", WORKING, entries_of("rnnpipe.LSTM.v1 = acme_one:Echo"))
        message = refusal(PluginError, resolve, "rnnpipe.LSTM.v1")
        assert "acme-one 1.2 (acme_one:Echo)" in message
        assert f"rnnpipe {VERSION} (rnnpipe.parts.encoders.sequence.recurrent:LSTM)" in message


class TestMisnamed:
    """What a distribution says wrongly of its parts is told before anything is imported."""

    @pytest.fixture(autouse=True)
    def nothing_else_is_broken(self, install):
        install(
            "other", "2.0", WORKING.replace("acme", "other"), entries_of("other.E.v1=other:Echo")
        )
        yield
        assert "acme_one" not in sys.modules
        assert [plugin.error for plugin in plugins_of("other")] == [None]
        assert resolve("other.E.v1", width=1)(1) == (1, 1, 2)

    @pytest.mark.parametrize("name", ["Echo", "acme.Echo", "Echo.v1", "acme.Echo.1", ".Echo.v1"])
    def test_a_name_without_a_prefix_or_a_version(self, install, name):
        install("acme-one", "1.2", WORKING, entries_of(f"{name} = acme_one:Echo"))
        message = refusal(PluginError, resolve, name)
        assert message == (
            "model.part: expected a name with a prefix and a version, such as acme.QRNN.v1, got "
            f"{name} from acme-one 1.2 (acme_one:Echo). Ask its authors to rename it."
        )
        (plugin,) = plugins_of("acme-one")
        assert plugin.error == message.replace("model.part", name)

    @pytest.mark.parametrize(
        "group, meant",
        [
            ("rnnpipe_encoder", "rnnpipe_encoders"),
            ("rnnpipe-encoders", "rnnpipe_encoders"),
            ("rnpipe_pooler", "rnnpipe_poolers"),
            ("rnnpipe_x", "rnnpipe_edges"),
        ],
    )
    def test_a_group_that_is_not_one(self, install, group, meant):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo", group))
        (plugin,) = plugins_of("acme-one")
        told = (
            f"acme.Echo.v1: expected the group of a registry, got {group} from acme-one 1.2 "
            f"(acme_one:Echo). Did you mean '{meant}'?"
        )
        assert plugin == Plugin(group, "acme.Echo.v1", "acme_one:Echo", "acme-one", "1.2", told)
        message = refusal(UnknownComponentError, resolve, "acme.Echo.v1")
        assert f"Plugins that cannot be used:\n  {told}" in message

    @pytest.mark.parametrize("group", ["console_scripts", "acme_encoders", "spacy_architectures"])
    def test_groups_of_others_are_theirs(self, install, group):
        install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo", group))
        assert plugins_of("acme-one") == []


class TestAnotherVersion:
    @pytest.mark.parametrize("range", [">=9.1,<9.2", "<0.1", "==0.0.3"])
    def test_it_is_refused_before_it_is_imported(self, install, range):
        entries = entries_of("acme.Echo.v1 = acme_one:Echo")
        install("acme-one", "1.2", WORKING, entries, "numpy", f"rnnpipe{range}")
        message = refusal(PluginError, resolve, "acme.Echo.v1")
        wanted = f"rnnpipe{','.join(sorted(range.split(',')))}"
        assert message == (
            f"model.part: expected a plugin for rnnpipe {VERSION}, got acme-one 1.2 "
            f"(acme_one:Echo), which is for {wanted}. Update acme-one, or install {wanted}."
        )
        assert "acme_one" not in sys.modules
        (plugin,) = plugins_of("acme-one")
        assert plugin.error == message.replace("model.part", "acme.Echo.v1")
        assert resolve("rnnpipe.Last.v1", "rnnpipe_poolers")

    @pytest.mark.parametrize(
        "requirement",
        [
            f"rnnpipe=={VERSION}",
            "RNNpipe[testing]>=0.1a1",
            "rnnpipe>=9; extra == 'next'",
            "rnnpipe>=9; python_version < '3'",
            "rnnpipe-extras>=9",
            "rnnpipe at some version",
            "rnnpipe>=9; os_name ~= 'x'",
        ],
    )
    def test_others_are_not(self, install, requirement):
        entries = entries_of("acme.Echo.v1 = acme_one:Echo")
        install("acme-one", "1.2", WORKING, entries, requirement)
        assert resolve("acme.Echo.v1", width=3)(5) == (5, 3, 2)


def test_a_plugin_installed_while_python_runs_asks_for_a_restart(install, monkeypatch):
    before = catalogue.AVAILABLE_ENTRY_POINTS
    install("acme-one", "1.2", WORKING, entries_of("acme.Echo.v1 = acme_one:Echo"))
    monkeypatch.setattr(catalogue, "AVAILABLE_ENTRY_POINTS", before)
    (plugin,) = plugins_of("acme-one")
    assert plugin.error == "acme.Echo.v1: installed after Python started. Restart Python."
    message = refusal(UnknownComponentError, resolve, "acme.Echo.v1")
    assert message.endswith(
        "Plugins that cannot be used:\n  "
        "acme.Echo.v1: installed after Python started. Restart Python."
    )


def test_a_packaged_pipeline_depends_on_us():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_ner")
    (requirement,) = get_third_party_dependencies(nlp.config)
    assert requirement.startswith("rnnpipe>=")
