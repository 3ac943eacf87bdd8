"""The exposure-bias gap as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.pictures import picture, span_at_least
from rnnpipe.instruments.exposure_bias import Curve, ExposureBias

if TYPE_CHECKING:
    from numpy import ndarray

_REAL, _OWN = "tab:blue", "tab:red"
#: How many nats the picture shows at least.
_NATS = 1.0


def draw_exposure_bias(result: ExposureBias, path: Path) -> None:
    """The model's view of both texts above, the judge's below; bands are one standard error."""
    with picture(path, (8.0, 7.0), readings.EXPOSURE_BIAS) as figure:
        above, below = figure.subplots(2, 1, sharex=True, sharey=True)
        figure.suptitle(
            f"Exposure bias after {result.n_prompts} prompts of {result.prompt_length} symbols"
        )
        x = result.distances
        _draw(above, x, result.teacher_forced, "real text (teacher-forced), H", _REAL, "o")
        _draw(above, x, result.free_running, "its own text (free-running), F", _OWN, "s")
        above.set_title("As the model sees it", fontsize="medium")
        _draw(below, x, result.real, "real text, Q", _REAL, "o")
        _draw(below, x, result.written, "the model's own text, W", _OWN, "s")
        below.fill_between(
            x, result.real.mean, result.written.mean, color="0.88", zorder=0, label="gap, W - Q"
        )
        judge = f"As {result.order}-grams of real text see it"
        growth = f"the gap grows by {result.growth:+.2f} from first to last quarter"
        below.set_title(f"{judge}; {growth}", fontsize="medium")
        below.set_xlabel("Distance from the prompt (symbols)")
        for axes in (above, below):
            axes.set_ylabel("Loss (nats per symbol)")
            axes.grid(alpha=0.3)
            axes.legend()
        span_at_least(above, _NATS)


def _draw(axes: Any, x: ndarray, curve: Curve, label: str, colour: str, marker: str) -> None:
    axes.plot(x, curve.mean, color=colour, marker=marker, markersize=4, label=label)
    low, high = curve.mean - curve.error, curve.mean + curve.error
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
