"""Running a command, and reading what it says."""

import numpy as np
from matplotlib.image import imread
from typer.testing import CliRunner

from rnnpipe.cli import app


def run(*arguments, **settings):
    return CliRunner().invoke(app, [str(x) for x in arguments], **settings)


def works(*arguments, **settings):
    """What a command prints to standard output."""
    result = run(*arguments, **settings)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def fails(*arguments, **settings):
    """What a command says to standard error, having printed nothing."""
    result = run(*arguments, **settings)
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    return result.stderr.strip()


def colours(picture):
    """How many a PNG file has."""
    pixels = imread(picture)
    return len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0))
