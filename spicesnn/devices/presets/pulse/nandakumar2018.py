"""Phase-change memory with history, drift and noise."""

from spicesnn.devices.pcm import PhaseChange

_MICRO = 1e-6  # the source counts in microsiemens

NANDAKUMAR2018 = PhaseChange(
    name="Nandakumar2018",
    citation=(
        "S. R. Nandakumar, M. Le Gallo, I. Boybat, B. Rajendran, A. Sebastian and E. Eleftheriou, "
        "J. Appl. Phys. 124, 152135 (2018); constants of the public code YigitDemirag/srnn-pcm"
    ),
    claim=(
        "moments of the step, drift and read noise as fitted there to arrays of doped GST devices "
        "read 38.6 s after each pulse; g_max = 12 uS as in that code, 20 uS for the paper's own "
        "staircase; not claimed: drift within milliseconds of a pulse, a spread of the exponents, "
        "pulse amplitudes, temperature"
    ),
    g_min=0.1 * _MICRO,
    g_max=12.0 * _MICRO,
    read_voltage=0.2,  # ours
    decay=2.6,
    mean_g=-0.084,
    mean_0=0.880 * _MICRO,
    mean_p=1.40 * _MICRO,
    sigma_g=0.091,
    sigma_0=0.260 * _MICRO,
    sigma_p=2.15 * _MICRO,
    drift_exponent=0.04,
    drift_time=38.6,
    read_g=0.03,
    read_0=0.13 * _MICRO,
    reset_mean=0.1 * _MICRO,
    reset_spread=0.01 * _MICRO,
    reset_floor=0.01 * _MICRO,
    start_spread=0.1,
)
PRESETS = (NANDAKUMAR2018,)
