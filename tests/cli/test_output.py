"""Text of users is printed as it is: neither markup nor emoji are made of it."""

import io

import pytest
from rich.columns import Columns
from rich.table import Table

from rnnpipe.cli.output import printer, say, say_written

EVIL = "[bold]:smile:[/bold] file:100: [red] :+1:"


def table():
    shown = Table(EVIL, title=EVIL, box=None)
    shown.add_row(EVIL)
    return shown


@pytest.mark.parametrize("made", [lambda: EVIL, table, lambda: Columns([EVIL])])
def test_text_is_printed_as_it_is(made):
    out = printer()
    out.file, out.width = io.StringIO(), 100
    out.print(made())
    shown = [line.strip() for line in out.file.getvalue().splitlines()]
    assert set(shown) == {EVIL}


def test_text_above_a_line_is_printed_as_it_is():
    out = printer()
    out.file, out.width = io.StringIO(), 100
    out.rule(EVIL)
    assert f" {EVIL} " in out.file.getvalue()


def test_what_is_told_is_printed_as_it_is(tmp_path, capsys):
    say(EVIL)
    say_written(tmp_path / "a:100:.html")
    assert capsys.readouterr().err == f"{EVIL}\nWrote {tmp_path}/a:100:.html\n"
