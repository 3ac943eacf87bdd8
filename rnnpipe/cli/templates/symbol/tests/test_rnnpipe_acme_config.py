from pathlib import Path

from rnnpipe.testing import check_config


def test_the_config_trains(tmp_path):
    words = tmp_path / "words.tsv"
    words.write_text("".join(f"{word}\t{' '.join(word)}\n" for word in ("to", "be", "or", "not")))
    config = Path(__file__).parents[1] / "configs" / "example.cfg"
    check_config(config, tmp_path, {"train": words, "dev": words})
