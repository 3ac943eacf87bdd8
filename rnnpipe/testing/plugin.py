"""A pytest plugin that checks what is registered, and is loaded when it is asked for::

    pytest -p rnnpipe.testing.plugin --rnnpipe acme-rnn

It is no entry point, which every run of pytest would import. Settings that a part cannot be checked
without come from a ``conftest.py``::

    def pytest_rnnpipe_settings(kind, name):
        if name == "acme.Semi.v1":
            return {"alphabet": "ab"}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rnnpipe.testing.registered import Registered

#: What ``--rnnpipe`` without a value stands for.
EVERYBODY = "every distribution"


class Hooks:
    """What a ``conftest.py`` may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_rnnpipe_settings(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The settings to check a registered part with; ``None``: the smallest ones.

        kind: "encoder", "pooler", ... name: "acme.QRNN.v1".
        """


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("rnnpipe").addoption(
        "--rnnpipe",
        nargs="?",
        const=EVERYBODY,
        metavar="DISTRIBUTION",
        help="Check that the encoders, poolers, ... of this distribution, or of all, keep what "
        "every part of their kind promises.",
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    asked = config.getoption("rnnpipe")
    if asked is None:
        return
    from rnnpipe.testing.registered import registered

    def settings(kind: str, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = config.hook.pytest_rnnpipe_settings(kind=kind, name=name)
        return found

    try:
        promises = registered(None if asked == EVERYBODY else asked, settings=settings)
    except LookupError as error:
        raise pytest.UsageError(str(error)) from None
    items += [PromiseItem.from_parent(session, name=str(p), promise=p) for p in promises]


class PromiseItem(pytest.Item):
    """A test of one promise of one part."""

    def __init__(self, *, promise: Registered, **options: Any) -> None:
        super().__init__(**options)
        self.promise = promise

    def runtest(self) -> None:
        self.promise()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is broken, and the traceback of what the part itself raised."""
        cause = excinfo.value.__cause__
        told = str(excinfo.value)
        if cause is None or isinstance(cause, AssertionError):
            return told
        return f"{told}\n\n{super().repr_failure(pytest.ExceptionInfo.from_exception(cause))}"

    def reportinfo(self) -> tuple[str, None, str]:
        return self.promise.part, None, f"{self.promise.part}: {self.promise.promise.text}"
