import pytest

from shopguide.models import precision


@pytest.mark.parametrize("native", [True, False])
def test_a_processor_is_good_at_what_it_has_in_hardware(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "native_bf16", lambda: native)
    assert precision.good_at_bf16("cpu") is native
    assert not precision.good_at_bf16("mps")
