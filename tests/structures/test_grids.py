"""Images of one size or of several, each as the list of its pixels."""

import pytest
import torch

from rnnpipe.errors import StructureError
from rnnpipe.structures import Grids


def pixels(structure, width=3):
    x = torch.randn(structure.batch_size, structure.size, width)
    return structure.blank(x)


def down_and_right(images):
    """Something that depends on where a pixel stands: the sum of all above and to the left."""
    return images.cumsum(1).cumsum(2).repeat(1, 1, 1, 2)


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3)],
        [(2, 3), (2, 3)],
        [(2, 3), (3, 2), (2, 3)],
        [(1, 5), (0, 0), (4, 1)],
        [(2, 2), (0, 7)],
    ],
)
def test_each_image_is_mapped_in_its_own_shape(shapes):
    structure = Grids.from_shapes(shapes)
    x = pixels(structure).requires_grad_()
    y = structure.map(down_and_right, x)
    assert y.shape == (len(shapes), structure.size, 6)
    assert y[~structure.mask].abs().sum() == 0
    for i, (height, width) in enumerate(shapes):
        image = x[i, : height * width].view(1, height, width, 3)
        want = down_and_right(image).view(height * width, 6)
        torch.testing.assert_close(y[i, : height * width], want)
    y.sum().backward()
    assert x.grad[~structure.mask].abs().sum() == 0


def test_lengths_are_numbers_of_pixels():
    structure = Grids.from_shapes([(2, 3), (0, 4), (1, 1)])
    assert structure.host_lengths == (6, 0, 1)
    assert structure.lengths.tolist() == [6, 0, 1]
    assert structure.shapes == ((2, 3), (0, 0), (1, 1))
    assert structure.mask.sum(1).tolist() == [6, 0, 1]


@pytest.mark.parametrize("shapes", [[], [(0, 0)], [(0, 3), (0, 0)]])
def test_batches_without_a_pixel(shapes):
    structure = Grids.from_shapes(shapes)
    x = pixels(structure).requires_grad_()
    y = structure.map(lambda images: images @ torch.ones(3, 4), x)
    assert y.shape == (len(shapes), 0, 4)
    y.sum().backward()


def test_images_of_one_size_are_not_copied():
    structure = Grids.from_shapes([(2, 3), (2, 3)])
    x = pixels(structure)
    assert structure.map(lambda images: images, x).data_ptr() == x.data_ptr()


def test_negative_sizes():
    with pytest.raises(StructureError) as error:
        Grids.from_shapes([(2, -1)])
    assert str(error.value) == "Grids: expected heights and widths of 0 or more, got [(2, -1)]."


def test_exists_without_a_device():
    structure = Grids.from_shapes([(2, 3), (3, 3), (0, 0)], "meta")
    x = torch.randn(3, 9, 4, device="meta")
    assert structure.map(lambda images: images[..., :2], x).shape == (3, 9, 2)
