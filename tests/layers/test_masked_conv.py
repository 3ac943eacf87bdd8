"""What masks let through."""

import pytest
import torch

from rnnpipe.errors import StructureError
from rnnpipe.layers.masked_conv import RowConv, RowsConv, channel_of, row_mask, windows


def test_features_are_shared_out_to_channels_in_order():
    assert channel_of(6, 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert channel_of(5, 3).tolist() == [0, 0, 1, 1, 2]
    assert channel_of(3, 1).tolist() == [0, 0, 0]


def test_fewer_features_than_channels():
    with pytest.raises(StructureError) as error:
        channel_of(2, 3)
    assert str(error.value) == (
        "width: expected at least one feature for each of the 3 channels, got 2. Set it to 3 or "
        "more."
    )


def test_mask_b_shows_channels_up_to_the_own_one():
    assert row_mask(3, 3, 3).tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1]]


def test_mask_a_shows_channels_before_the_own_one():
    assert row_mask(3, 3, 3, strict=True).tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert row_mask(1, 2, 1, strict=True).tolist() == [[0, 0]]


def test_pixels_to_the_left_are_seen_by_all_and_blocks_repeat():
    mask = row_mask(2, 2, 2, reach=1, blocks=2, strict=True)
    left, own = [[1, 1, 1, 1]] * 2, [[0, 1, 0, 1], [0, 0, 0, 0]]
    assert mask.tolist() == left + own


def test_no_mask_where_everything_may_be_seen():
    assert row_mask(3, 4, 1, reach=2) is None


def test_windows_hold_the_pixels_to_the_left_and_the_own_one_last():
    x = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 3, 1)
    assert windows(x, 2)[0, 0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3]]


@pytest.mark.parametrize("strict", [False, True])
def test_a_convolution_of_the_row_is_a_product_a_pixel(strict):
    conv = RowConv(2, 4, 2, reach=2, strict=strict)
    x = torch.randn(2, 3, 5, 2)
    y = conv(x)
    weight = conv.weight if conv.mask is None else conv.weight * conv.mask
    for column in range(5):
        want = conv.bias.expand(2, 3, 4)
        for k in range(3):
            if column - k >= 0:
                part = weight[4 - 2 * k : 6 - 2 * k]
                want = want + x[:, :, column - k] @ part
        torch.testing.assert_close(y[:, :, column], want)


@pytest.mark.parametrize("strict", [False, True])
def test_a_convolution_of_rows_sees_those_that_it_may(strict):
    conv = RowsConv(2, 3, rows=2, reach=1, strict=strict)
    x = torch.randn(1, 4, 5, 2)
    y = conv(x)
    for row in range(4):
        for column in range(5):
            want = conv.bias.clone()
            for i in range(2):
                for j in range(3):
                    r, c = row - 1 - strict + i, column - 1 + j
                    if r >= 0 and 0 <= c < 5:
                        want = want + conv.weight[:, :, i, j] @ x[0, r, c]
            torch.testing.assert_close(y[0, row, column], want)


@pytest.mark.parametrize("strict", [False, True])
def test_rows_one_by_one(strict):
    conv = RowsConv(2, 3, rows=3, reach=2, strict=strict)
    x = torch.randn(2, 4, 5, 2)
    above = torch.zeros(2, 3 - (not strict), 5, 2)
    padded = torch.cat([above, x], dim=1)
    for row in range(4):
        step = conv.step(padded[:, row : row + 3])
        torch.testing.assert_close(step, conv(x)[:, row])


def test_an_image_of_one_row_is_seen_by_no_strict_convolution():
    conv = RowsConv(2, 3, rows=2, reach=1, strict=True)
    x = torch.randn(1, 1, 4, 2, requires_grad=True)
    conv(x).sum().backward()
    assert x.grad.abs().sum() == 0
