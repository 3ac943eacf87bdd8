"""Encoders of images as they are written: one pixel after the other, in Python.

The weights are those of the encoder; nothing else is shared with it. An image is a function of row
and column that gives zeros outside of it.
"""

import torch


class Image:
    """``(height, width, features)``, zeros outside."""

    def __init__(self, pixels):
        self.pixels = pixels

    def __call__(self, row, column):
        height, width, features = self.pixels.shape
        if 0 <= row < height and 0 <= column < width:
            return self.pixels[row, column]
        return self.pixels.new_zeros(features)


def masked(part, name="weight"):
    weight = getattr(part, name)
    return weight if part.mask is None else weight * part.mask


def linear(conv, *xs):
    return torch.cat(xs) @ masked(conv) + conv.bias


def lstm(cell, direction, xs, neighbours):
    a = torch.cat(xs) @ masked(cell, "input_weight")[direction] + cell.bias[direction, 0]
    for k, (h, _) in enumerate(neighbours):
        a = a + h @ cell.weight[direction, k]
    i, f, g, o = a.chunk(4)
    c = torch.sigmoid(f) * neighbours[0][1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def residual(layer, x, h):
    shortcut = x if isinstance(layer.shortcut, torch.nn.Identity) else linear(layer.shortcut, x)
    return shortcut + linear(layer.up, h)


def row_lstm(layer, pixels):
    image, states = Image(pixels), {}
    height, width, _ = pixels.shape
    zeros = (pixels.new_zeros(layer.lstm.width),) * 2
    offsets = sorted(range(-layer.reach, layer.reach + 1), key=abs)
    out = torch.empty(height, width, layer.n_out, dtype=pixels.dtype)
    for row in range(height):
        for column in range(width):
            above = [states.get((row - 1, column + j), zeros) for j in offsets]
            seen = [image(row, column - k) for k in range(layer.reach, -1, -1)]
            states[row, column] = lstm(layer.lstm, 0, seen, above)
            out[row, column] = residual(layer, pixels[row, column], states[row, column][0])
    return out


def diagonal_bilstm(layer, pixels):
    left, right = {}, {}
    height, width, _ = pixels.shape
    zeros = (pixels.new_zeros(layer.lstm.width),) * 2
    out = torch.empty(height, width, layer.n_out, dtype=pixels.dtype)
    for row in range(height):
        for column in range(width):
            neighbours = [left.get(at, zeros) for at in ((row, column - 1), (row - 1, column))]
            left[row, column] = lstm(layer.lstm, 0, [pixels[row, column]], neighbours)
        for column in reversed(range(width)):
            neighbours = [right.get(at, zeros) for at in ((row, column + 1), (row - 1, column))]
            right[row, column] = lstm(layer.lstm, 1, [pixels[row, column]], neighbours)
        for column in range(width):
            h = left[row, column][0] + right.get((row - 1, column), zeros)[0]
            out[row, column] = residual(layer, pixels[row, column], h)
    return out


def gate(a):
    x, opened = a.chunk(2)
    return torch.tanh(x) * torch.sigmoid(opened)


def pixel_cnn(encoder, pixels):
    v = h = pixels
    height, width, _ = pixels.shape
    for number, layer in enumerate(encoder.layers):
        vertical, horizontal = Image(v), Image(h)
        reach, shape = encoder.reach, (height, width, encoder.n_out)
        next_v, next_h = torch.empty(shape, dtype=v.dtype), torch.empty(shape, dtype=v.dtype)
        for row in range(height):
            for column in range(width):
                above = layer.vertical.bias
                for i in range(reach + 1):
                    for j in range(2 * reach + 1):
                        # The first layer reads the image, whose own row is not to be seen.
                        at = row - reach - (number == 0) + i, column - reach + j
                        above = above + layer.vertical.weight[:, :, i, j] @ vertical(*at)
                seen = [horizontal(row, column - k) for k in range(reach, -1, -1)]
                a = linear(layer.horizontal, *seen) + linear(layer.link, above)
                mixed = linear(layer.mix, gate(a))
                same = h.shape[2] == encoder.n_out
                next_h[row, column] = mixed + h[row, column] if same else mixed
                next_v[row, column] = gate(above)
        v, h = next_v, next_h
    return h


def pixel_by_pixel(encoder, image):
    """``(height, width, n_in) -> (height, width, n_out)``, whatever the encoder."""
    if type(encoder).__name__ == "GatedPixelCNN":
        return pixel_cnn(encoder, image)
    for layer in encoder.layers:
        run = {"RowLSTMLayer": row_lstm, "DiagonalBiLSTMLayer": diagonal_bilstm}
        image = run[type(layer).__name__](layer, image)
    return image
