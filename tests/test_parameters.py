import pytest

from spicesnn.circuits.cells.dpi_trace import DpiTrace
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.devices import find_pulse_map
from spicesnn.devices.pulse_map import Pulse
from spicesnn.errors import ParameterError
from spicesnn.parameters import Parameters
from spicesnn.units import spice_number


def test_negative_capacitance_says_name_meaning_and_bound() -> None:
    text = r"DpiTrace.c_q \(capacitor of Q \[F\]\) = -1e-12: Input should be greater than 0"
    with pytest.raises(ParameterError, match=text):
        DpiTrace(c_q=-1e-12)


def test_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match="has no parameter 'c_qq'; did you mean c_q"):
        DpiTrace(c_qq=1e-12)


def test_a_missing_parameter_is_named_without_the_others() -> None:
    text = r"^Pulse\.width \(width \[s\]\) is missing: give it\.$"
    with pytest.raises(ParameterError, match=text):
        Pulse(voltage=1.0)


def test_a_check_of_several_parameters_says_its_own_text_only() -> None:
    """Not the whole preset before it."""
    text = r"^Jo2010\.g_min = 1 S is not below g_max = 3\.84615e-08 S: give a range\.$"
    with pytest.raises(ParameterError, match=text):
        find_pulse_map("Jo2010").with_numbers(g_min=1.0)


def test_an_error_of_the_whole_object_does_not_print_it() -> None:
    class Odd(Parameters):
        a: float

        def model_post_init(self, context: object) -> None:
            raise ValueError("too odd")

    with pytest.raises(ParameterError, match=r"^Odd: Value error, too odd\.$"):
        Odd(a=1.0)


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
