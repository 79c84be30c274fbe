"""Two sets of numbers for the model of Yakopcic."""

from spicesnn.devices.yakopcic import Yakopcic

_MODEL = (
    "C. Yakopcic, T. M. Taha, G. Subramanyam and R. E. Pino, IEEE Trans. Comput.-Aided Des. 32(8), "
    "1201-1214 (2013), doi 10.1109/TCAD.2013.2252057"
)
_NUMBERS = {
    "a_1": 0.17,
    "a_2": 0.17,
    "b": 0.05,
    "a_p": 4000.0,
    "a_n": 4000.0,
    "x_p": 0.3,
    "x_n": 0.5,
    "alpha_p": 1.0,
    "alpha_n": 5.0,
    "x_0": 0.11,
}
YAKOPCIC2013 = Yakopcic(
    name="Yakopcic2013",
    citation=f"{_MODEL}; the set that public copies of the authors' SPICE text and Xyce "
    "(memristor, level 3) give as their example",
    claim="the example values; a public copy names the chalcogenide devices of Oblea et al. "
    "(2010) as what they were fitted to; fits of other devices are not claimed",
    v_p=0.16,
    v_n=0.15,
    **_NUMBERS,
)
YAKOPCIC2013B = Yakopcic(
    name="Yakopcic2013B",
    citation=f"{_MODEL}; thresholds of a public SPICE text, whose own source is not known",
    claim="set Yakopcic2013 with thresholds of 0.65 and 0.56 V; a fit to a device is not claimed",
    v_p=0.65,
    v_n=0.56,
    **_NUMBERS,
)
PRESETS = (YAKOPCIC2013, YAKOPCIC2013B)
