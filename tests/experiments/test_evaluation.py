from argparse import Namespace

import pytest

from experiments.benchmarks import evaluation


def test_both_sides_tell_the_loss_of_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("accelerate", reason="the peer is transformers.Trainer (pip install 'shopguide[experiments]')")
    monkeypatch.setattr(evaluation, "TEXTS", 32)
    args = Namespace(case="2x128", data=None, tokenizer=None, steps=1, rows=8, seed=0, peer=None)
    ours, theirs = evaluation.ours(args), evaluation.theirs(args)
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)
    assert min(ours["value"], theirs["value"], ours["peak_memory_gb"]) > 0
