from pathlib import Path

import numpy as np

from rnnpipe.testing import check_config


def test_the_config_trains(tmp_path):
    images = tmp_path / "images.npz"
    bits = np.random.default_rng(0).integers(0, 256, (4, 98), dtype=np.uint8)  # of 28 x 28 pixels
    np.savez(images, train=bits, valid=bits)
    config = Path(__file__).parents[1] / "configs" / "example.cfg"
    check_config(config, tmp_path, {"train": images, "dev": images}, steps=2, texts=())
