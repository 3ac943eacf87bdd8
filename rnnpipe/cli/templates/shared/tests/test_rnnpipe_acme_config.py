from pathlib import Path

from rnnpipe.testing import check_config


def test_the_config_trains(tmp_path):
    check_config(Path(__file__).parents[1] / "configs" / "example.cfg", tmp_path)
