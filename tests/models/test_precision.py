import pytest

from shopguide.models import precision


@pytest.mark.parametrize(("native", "gain", "good"), [(True, 2.0, True), (True, 0.5, False), (False, 2.0, False)])
def test_a_processor_is_good_at_what_it_has_in_hardware_and_gains_by(
    native: bool, gain: float, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "native_bf16", lambda: native)
    monkeypatch.setattr(precision, "bf16_gain", lambda: gain)
    assert precision.good_at_bf16("cpu") is good
    assert not precision.good_at_bf16("mps")


def test_the_gain_is_a_ratio_of_times_and_measured_once() -> None:
    assert 0.01 < precision.bf16_gain() < 100
    assert precision.bf16_gain() == precision.bf16_gain()
