"""``spacy rnn draw``, and the grids that it writes."""

import numpy as np
import pytest
import spacy
from helpers.commands import fails, run, works
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.cli.pictures.image_grid import tiled, write_grid
from rnnpipe.errors import SettingsError
from rnnpipe.training.corpora.png import read_png, write_png

SHAPE = (4, 6)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of an untrained model of two levels and two classes."""
    nlp = spacy.blank("en")
    network = {
        "@architectures": "rnnpipe.ImageModel.v1",
        "levels": 2,
        "encoder": {"@rnnpipe_encoders": "rnnpipe.PixelCNN.v1", "width": 4, "depth": 1},
        "output": {"@rnnpipe_pixel_outputs": "rnnpipe.Bernoulli.v1"},
    }
    nlp.add_pipe("rnn_image", config={"model": network, "conditional": True})
    doc = Doc(nlp.vocab)
    doc._.image = np.zeros(SHAPE, dtype=np.uint8)
    doc.cats = {"a": 1.0}
    nlp.get_pipe("rnn_image").add_label("b")
    nlp.initialize(lambda: [Example(doc, doc)])
    folder = tmp_path_factory.mktemp("models") / "image"
    nlp.to_disk(folder)
    return folder


def shown(path, n, columns):
    """The images of a grid, each pixel of which is 11 pixels wide."""
    grid = read_png(path)[5::11, 5::11]
    height, width = SHAPE
    assert grid.shape[1] == columns * (width + 1) + 1
    assert (grid[0] == 128).all() and (grid[:, 0] == 128).all()
    places = [(i // columns * (height + 1) + 1, i % columns * (width + 1) + 1) for i in range(n)]
    return np.stack([grid[top : top + height, left : left + width] for top, left in places])


def test_it_draws_what_the_component_generates(model, tmp_path):
    path = tmp_path / "new" / "grid.png"
    assert works("draw", model, "-o", path, "--n", 5, "--seed", 1) == ""
    want = spacy.load(model).get_pipe("rnn_image").generate(5, seed=1)
    assert np.array_equal(shown(path, 5, 3), want * 255)
    assert [file.name for file in path.parent.iterdir()] == ["grid.png"]
    again = ("draw", model, "-o", path, "--n", 4, "--seed", 1, "--label", "b", "-t", 0.5)
    assert "expected a new file, got 'an existing file'" in fails(*again)
    works(*again, "--force")
    pipe = spacy.load(model).get_pipe("rnn_image")
    want = pipe.generate(4, seed=1, label="b", temperature=0.5)
    assert np.array_equal(shown(path, 4, 2), want * 255)


def test_it_completes_a_file(model, tmp_path):
    given = np.random.default_rng(0).integers(0, 2, (*SHAPE, 1), dtype=np.uint8) * 255
    write_png(given, tmp_path / "given.png")
    for options, rows in (([], 2), (["--rows", 3], 3)):
        path = tmp_path / f"grid_{rows}.png"
        works("draw", model, "-o", path, "--n", 8, "--complete", tmp_path / "given.png", *options)
        images = shown(path, 9, 3)
        assert np.array_equal(images[0], given)
        assert (images[:, :rows] == given[:rows]).all()
        assert len({image.tobytes() for image in images}) > 2


def test_settings_that_are_wrong(model, tmp_path):
    path = tmp_path / "grid.png"
    assert fails("draw", model, "-o", tmp_path / "grid.jpg") == (
        "Error: output: expected a file name that ends in .png, got 'grid.jpg'. Choose another "
        "path."
    )
    assert "n: expected 1 or more, got 0." in fails("draw", model, "-o", path, "--n", 0)
    assert "expected one of the classes ['b', 'a'], got 'c'." in fails(
        "draw", model, "-o", path, "--label", "c"
    )
    assert "--rows: expected no value without --complete" in fails(
        "draw", model, "-o", path, "--rows", 2
    )
    colours = tmp_path / "colours.png"
    write_png(np.zeros((*SHAPE, 3), dtype=np.uint8), colours)
    assert "expected an image of 1 channel, got 3." in fails(
        "draw", model, "-o", path, "--complete", colours
    )
    write_png(np.zeros((*SHAPE, 1), dtype=np.uint8), colours)
    assert "--rows: expected 0 to 4, the rows of the file, got 5." in fails(
        "draw", model, "-o", path, "--complete", colours, "--rows", 5
    )
    assert "x.png: expected a PNG file, got no such file. Correct the path." in fails(
        "draw", model, "-o", path, "--complete", tmp_path / "x.png"
    )
    assert not path.exists()


def test_a_pipeline_without_such_a_model(models, tmp_path):
    assert "expected one image model (rnn_image), got no such component" in fails(
        "draw", models / "blank", "-o", tmp_path / "grid.png"
    )


def test_a_file_that_cannot_be_written_leaves_the_old_one(model, tmp_path, monkeypatch):
    path = tmp_path / "grid.png"
    path.write_text("old")

    def broken(pixels, unfinished):
        unfinished.write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr("rnnpipe.cli.pictures.image_grid.write_png", broken)
    assert isinstance(run("draw", model, "-o", path, "--force", "--n", 1).exception, OSError)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_grids():
    images = np.arange(1, 4, dtype=np.uint8).reshape(3, 1, 1, 1)
    grid = tiled(images, columns=2)[..., 0].tolist()
    grey = [128] * 5
    assert grid == [grey, [128, 1, 128, 2, 128], grey, [128, 3, 128, 128, 128], grey]


def test_channels_that_png_does_not_have(tmp_path):
    with pytest.raises(SettingsError, match="expected images of 1 or 3 channels.*, got 2"):
        write_grid(np.zeros((1, 2, 2, 2), dtype=np.uint8), 2, tmp_path / "x.png")


def test_colours_come_back(tmp_path):
    images = np.random.default_rng(0).integers(0, 5, (1, 64, 64, 3), dtype=np.uint8)
    write_grid(images, 5, tmp_path / "x.png", columns=1)
    assert np.array_equal(read_png(tmp_path / "x.png")[1:-1, 1:-1], np.ceil(images[0] * 63.75))
