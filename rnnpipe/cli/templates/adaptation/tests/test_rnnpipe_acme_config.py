from pathlib import Path

from rnnpipe.testing import check_config


def test_the_config_trains(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("To be, or not to be: that is the question.\n" * 150)
    config = Path(__file__).parents[1] / "configs" / "example.cfg"
    check_config(config, tmp_path, {"train": text, "dev": text})
