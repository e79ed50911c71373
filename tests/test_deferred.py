"""Each in a process of its own, in which nothing has been imported yet."""

import subprocess
import sys

BEGUN = """
import sys
from shopguide.deferred import defer_imports
defer_imports()
import torch, torchmetrics, pytorch_lightning
def there(name):
    return type(sys.modules.get(name)).__name__
"""


def told(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", BEGUN + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_neither_matplotlib_nor_scipy_signal_is_imported_to_train() -> None:
    code = """
print(there("matplotlib"), there("scipy.signal"), there("torchmetrics.utilities.plot"))
torchmetrics.MeanMetric()(torch.ones(2))
print(there("matplotlib"))
"""
    assert told(code) == ["NoneType Deferred Deferred", "NoneType"]


def test_pictures_of_metrics_are_drawn_when_they_are_asked_for() -> None:
    code = """
import matplotlib
matplotlib.use("agg")
metric = torchmetrics.classification.BinaryConfusionMatrix()
metric.update(torch.ones(2), torch.ones(2))
print(type(metric.plot()[0]).__name__, there("torchmetrics.utilities.plot"))
several = torchmetrics.MetricCollection([torchmetrics.MeanMetric()])
several.update(torch.ones(2))
axes = matplotlib.pyplot.figure().gca()
print(len(several.plot(ax=[axes])))
try:
    several.plot(ax=3, together=True)
except ValueError as error:
    print(str(error)[:57])
"""
    assert told(code) == ["Figure module", "1", "Expected argument `ax` to be a matplotlib axis object, but"[:57]]


def test_signal_is_imported_when_it_is_used_however_it_is_named() -> None:
    code = """
from scipy import signal
print(signal.convolve([1, 2], [1]).tolist(), there("scipy.signal"))
import scipy.signal.windows
print(scipy.signal.hamming(3).round(2).tolist(), scipy.signal.windows.hamming(3).round(2).tolist())
"""
    assert told(code) == ["[1, 2] module", "[0.08, 1.0, 0.08] [0.08, 1.0, 0.08]"]
    assert told("from scipy.signal import convolve\nprint(convolve([3], [2])[0])") == ["6"]
    assert told("import scipy.signal.windows as w\nprint(w.hann(3)[1], there('scipy.signal'))") == ["1.0 Deferred"]


def test_what_has_been_imported_stays() -> None:
    code = "import scipy.signal as own\ndefer_imports()\nown.convolve\nprint(sys.modules['scipy.signal'] is not None)"
    assert told(code) == ["True"]
