"""The table that drives the contract tests: every registered name, plugins included."""

from helpers.building import DECLARED, GROUPS, names_of


def pytest_generate_tests(metafunc):
    for kind in [*GROUPS, *DECLARED]:
        if f"{kind}_name" in metafunc.fixturenames:
            names = names_of(kind)
            assert names, f"there is no {kind} registered: is the package installed?"
            metafunc.parametrize(f"{kind}_name", names)
