"""What docs/mathml.py makes of the formulas of docstrings."""

import importlib.util
import sys

import pytest
from helpers.reading import ROOT

pytest.importorskip("sphinx", reason="needs the extra docs")
pytest.importorskip("latex2mathml", reason="needs the extra docs")


@pytest.fixture(scope="module")
def mathml():
    spec = importlib.util.spec_from_file_location("mathml", ROOT / "docs" / "mathml.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mathml"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mathml"]


@pytest.mark.parametrize(
    ("plain", "wanted"),
    [
        ("h_t = o * tanh(c_{t-1})", r"h_{t}=o\ast\tanh(c_{{t-1}})"),
        ("s = sum_k U_f,m(k) h_k", r"s=\sum_{k}U_{f,m(k)}h_{k}"),
        ("a = softmax_t(v . h(t))", r"a=\operatorname{softmax}_{t}(v\cdoth(t))"),
        ("c = [c_1; ...; c_N]", r"c=[c_{1};\dots;c_{N}]"),
    ],
)
def test_formulas_become_latex(mathml, plain, wanted):
    assert mathml.latex(plain).replace(" ", "") == wanted


@pytest.mark.parametrize("plain", ["max_epochs = -1", "n_best", "0 <= from < to <= 1", "h +"])
def test_other_text_is_left(mathml, plain):
    assert mathml.latex(plain) is None


def test_equations_stand_below_each_other(mathml):
    lines = ["    z = sigma(x)      the gate", "    h_in = z * x"]
    written = mathml.latex_lines(lines).replace(" ", "")
    first, second = written.split(r"\\")
    assert first == r"\begin{align*}z&=\sigma(x)&&\text{thegate}"
    assert second == r"h_{\mathrm{in}}&=z\astx\end{align*}"
    assert mathml.latex_lines([*lines, "    where z is a gate"]) is None
