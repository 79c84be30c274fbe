import pytest

from spicesnn.circuits.cells.dpi_trace import DpiTrace
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.errors import ParameterError
from spicesnn.units import spice_number


def test_negative_capacitance_says_name_meaning_and_bound() -> None:
    text = r"DpiTrace.c_q \(capacitor of Q \[F\]\) = -1e-12: Input should be greater than 0"
    with pytest.raises(ParameterError, match=text):
        DpiTrace(c_q=-1e-12)


def test_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match="has no parameter 'c_qq'; did you mean c_q"):
        DpiTrace(c_qq=1e-12)


def test_nan_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"DpiTrace.c_p .* finite number"):
        DpiTrace(c_p=float("nan"))


def test_identity_follows_values_and_class() -> None:
    assert DpiTrace().identity == DpiTrace(c_q=1e-12).identity
    assert DpiTrace().identity != DpiTrace(c_q=2e-12).identity
    assert DpiTrace().identity != SpikeDriver().identity


def test_spice_numbers_have_no_suffix() -> None:
    assert spice_number(1e6) == "1.00000e+06"
    with pytest.raises(ParameterError, match="cannot write nan into a deck"):
        spice_number(float("nan"))
