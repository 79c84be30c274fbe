"""Fits of devices give back what was put in, and meet a published device as its publishers do."""

import math
from pathlib import Path

import numpy as np
import pytest

from spicesnn.devices import PulseArray, find_device, find_ode
from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.ode import Ode
from spicesnn.devices.response import response
from spicesnn.devices.trajectories import starts, trajectories
from spicesnn.errors import (
    DataError,
    ParameterError,
    SimulationError,
    SpicesnnError,
    UnknownNameError,
)
from spicesnn.fit import device_data
from spicesnn.fit.device import fit_device
from spicesnn.fit.device_data import Columns, PulseData, Sweep, read_device_data
from spicesnn.fit.device_file import load_device
from spicesnn.fit.device_pulses import label
from spicesnn.fit.device_result import DeviceFit
from spicesnn.fit.pulse_filter import Limits, Noise, Staircase, censored, expected, limits

GONG = Path(__file__).parent / "data" / "gong2018.csv"


def preset(name: str, **changes: float) -> NeuroSimCurve:
    found = find_device(name).with_numbers(**changes)
    assert isinstance(found, NeuroSimCurve)
    return found


def staircases(device: NeuroSimCurve, seed: int, devices: int = 1, cycles: int = 2) -> PulseData:
    """The kind's own pulses, one by one, up and down, each read once."""
    rng = np.random.default_rng(seed)
    array = PulseArray.draw(device, (devices,), 0.0, rng)
    ups = np.tile(np.repeat([True, False], device.levels), cycles)
    reads = []
    for up in ups:
        one, none = np.ones(devices, int), np.zeros(devices, int)
        array = array.pulsed(*((one, none) if up else (none, one)), rng)
        reads.append(array.read(None, rng))
    first = np.arange(ups.size) == 0
    each = {str(k): Staircase(np.array(reads)[:, k], ups, first) for k in range(devices)}
    return PulseData(each, False, None, None, "synthetic", "0")


def distance(found: DeviceFit, name: str, true: float) -> float:
    """How many standard uncertainties a value is off; 0 for what is known exactly."""
    value = found.values[name]
    if value.value == pytest.approx(true, rel=1e-9, abs=0):
        return 0.0
    return abs(value.value - true) / value.sigma


# NeuroSim's presets, and how many of 100 values two stated uncertainties hold at least. Wu2018 and
# Woo2016, whose pulses wander by 3.7 and 5 % of the range, have their labels stated too narrowly.
COVERED = {"Park2013": 93, "Choi2018": 92, "Jo2010": 92, "Kuzum2012": 92, "Jerry2017": 90,
           "Woo2016": 88, "Wu2018": 86}  # fmt: skip
KEYS = ("g_min", "g_max", "nonlinearity_set", "nonlinearity_reset", "cycle_spread")


def covered(name: str, seeds: range) -> dict[str, int]:
    """How many of the draws' values two stated uncertainties hold."""
    device = preset(name, device_spread=0.0)
    found = [fit_device(device, staircases(device, seed)) for seed in seeds]
    return {
        key: sum(distance(each, key, getattr(device, key)) <= 2 for each in found) for key in KEYS
    }


@pytest.mark.parametrize("name", list(COVERED))
def test_known_curves_come_back_within_the_stated_uncertainty(name: str) -> None:
    """A few draws of each preset, all values together; `slow` counts each value over 200."""
    inside = covered(name, range(6))
    assert sum(inside.values()) >= 26, inside  # of 30


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COVERED))
def test_coverage_of_every_preset(name: str) -> None:
    inside = covered(name, range(200))
    assert min(inside.values()) >= 2 * COVERED[name], inside


def test_one_low_read_is_no_limit() -> None:
    """A draw whose lowest conductance pulled `g_min` up to itself, 100 stated uncertainties off.

    It is an unlucky one of 200, with a lowest read at twice `g_min`: within three now, not two.
    """
    device = preset("Jerry2017", device_spread=0.0)
    found = fit_device(device, staircases(device, 164))
    assert distance(found, "g_min", device.g_min) < 3
    assert found.values["g_min"].sigma > 1e-9


def test_two_equal_ends_of_a_coarse_file_are_no_limit() -> None:
    fine = np.array([1.0, 1.0, 2.5, 3.25, 4.125])
    assert limits(fine).low.sum() == 2
    assert not limits(np.array([1.0, 1.0, *np.arange(2.0, 30.0), 5.0])).low.any()
    assert limits(np.array([1.0, 1.0, 1.0, *np.arange(2.0, 30.0), 5.0])).low.sum() == 3


def test_uncertainties_are_no_larger_than_the_values_scatter() -> None:
    """What holds its values always might just be too wide: compared with the draws' own scatter."""
    device = preset("Park2013", device_spread=0.0)
    found = [fit_device(device, staircases(device, seed)) for seed in range(16)]
    for key in ("nonlinearity_set", "nonlinearity_reset"):
        values = np.array([each.values[key].value for each in found])
        stated = np.median([each.values[key].sigma for each in found])
        assert 0.6 < values.std(ddof=1) / stated < 1.5, key


def test_noise_of_reads_is_told_from_that_of_pulses() -> None:
    device = preset("Park2013", device_spread=0.0, read_spread=0.03)
    found = [fit_device(device, staircases(device, seed)) for seed in range(6)]
    for key, true in (("read_spread", 0.03), ("cycle_spread", 0.01)):
        values = np.array([each.values[key].value for each in found])
        assert abs(values.mean() - true) < 3 * values.std(ddof=1) / math.sqrt(6), key
        assert values.mean() == pytest.approx(true, rel=0.15, abs=0), key


def test_spread_of_devices_comes_back() -> None:
    device = preset("Park2013", device_spread=0.08)
    found = fit_device(device, staircases(device, 3, devices=30, cycles=1))
    spread = found.values["device_spread"]
    assert abs(spread.value - 0.08) < 2.5 * spread.sigma
    assert spread.sigma < 0.02
    assert found.device.device_spread == spread.value
    for key in ("g_min", "g_max"):
        assert distance(found, key, getattr(device, key)) < 2.5
    assert distance(found, "nonlinearity_set", device.nonlinearity_set) < 2.5


def test_one_direction_alone_gives_its_half() -> None:
    """Only SET pulses, from the foot of the range on: the RESET label stays the base's."""
    device = preset("Park2013", device_spread=0.0)
    whole = staircases(device, 5, cycles=1).staircases["0"]
    half = Staircase(*(x[: device.levels] for x in (whole.conductance, whole.up, whole.first)))
    found = fit_device(device, PulseData({"": half}, False, None, None, "half", "0"))
    assert "nonlinearity_reset" not in found.values
    assert found.device.nonlinearity_reset == device.nonlinearity_reset
    assert any("nonlinearity_reset is the base's" in note for note in found.notes)
    assert distance(found, "nonlinearity_set", device.nonlinearity_set) < 3


def test_expectation_is_the_mean_of_many_devices() -> None:
    """The filter's mean and variance of the next pulse, against 200,000 draws of the kind."""
    device = preset("Jo2010", device_spread=0.0, cycle_spread=0.2)
    rng = np.random.default_rng(0)
    start = 0.8
    array = PulseArray.draw(device, (200_000,), start, rng)
    after = array.pulsed(np.ones(200_000, int), np.zeros(200_000, int), rng).conductance
    data = Staircase(
        np.array([array.conductance[0], after.mean()]), np.array([True, True]),
        np.array([True, False]),
    )  # fmt: skip
    p = {
        "g_min": device.g_min, "g_max": device.g_max, "up": 1 / device.curvature("set"),
        "down": 1 / device.curvature("reset"),
    }  # fmt: skip
    mean, variance = expected(
        data, {k: np.array([v]) for k, v in p.items()}, device.levels, Noise(0.2), relative=True
    )
    assert mean[0, 1] == pytest.approx(after.mean(), rel=2e-3, abs=0)
    assert math.sqrt(variance[0, 1]) == pytest.approx(after.std(), rel=1e-2, abs=0)


def test_censored_numbers_have_tobins_likelihood() -> None:
    """Score and information are the likelihood's slopes, by finite differences."""
    at = Limits(np.array([False, False, True]), np.array([False, True, False]))
    seen = np.array([0.3, 1.0, 0.0])

    def likelihood(mean: float) -> np.ndarray:
        return censored(seen, np.full(3, mean), np.full(3, 0.4), at)[2]

    mean, h = 0.7, 1e-4
    response_, weight, _ = censored(seen, np.full(3, mean), np.full(3, 0.4), at)
    score = (likelihood(mean + h) - likelihood(mean - h)) / (2 * h)
    bend = -(likelihood(mean + h) - 2 * likelihood(mean) + likelihood(mean - h)) / h**2
    assert weight**2 * (response_ - mean) == pytest.approx(score, rel=1e-5, abs=1e-6)
    assert weight**2 == pytest.approx(bend, rel=1e-4, abs=1e-6)


def test_labels_are_neurosims_and_smooth_through_a_straight_line() -> None:
    device = preset("Park2013")
    assert label(1 / device.curvature("set")) == pytest.approx(3.68, rel=1e-3, abs=0)
    assert label(9.99e-4) == pytest.approx(label(1.001e-3), rel=5e-3, abs=0)
    assert label(-2.0) == -label(2.0)


@pytest.fixture(scope="module")
def gong() -> DeviceFit:
    data = read_device_data(GONG, Columns(relative=True))
    return fit_device(find_device("Wu2018"), data, name="Gong2018")


def test_published_staircase_gives_its_publishers_range_and_noise(gong: DeviceFit) -> None:
    """Gong et al. 2018 as IBM's toolkit counts it: a range of -1 to 1.

    The toolkit's preset of this device has a noise of what is read of 75 steps of 0.00135
    (`write_noise_std`, `dw_min`): 0.101.
    """
    low, high = gong.values["g_min"], gong.values["g_max"]
    assert abs(low.value + 1) < 2 * low.sigma
    assert abs(high.value - 1) < 2 * high.sigma
    assert max(low.sigma, high.sigma) < 0.06
    read = gong.values["read_spread"].value * (high.value - low.value)
    assert read == pytest.approx(75 * 0.00135, rel=0.15, abs=0)
    assert any("a memory of 9" in note for note in gong.notes)
    assert any("conductances are relative" in note for note in gong.notes)


def test_published_staircase_agrees_with_plain_least_squares(gong: DeviceFit) -> None:
    """NeuroSim's formula through each staircase by SciPy's curve_fit, without limits.

    The SET staircase ends on a plateau: the formula alone bends for it, the kind's clip does so at
    g_max, with a straighter way there. So three uncertainties, not two.
    """
    from scipy.optimize import curve_fit

    data = np.genfromtxt(GONG, delimiter=",", skip_header=2, usecols=2)
    pulses = np.arange(1000) / 1000

    def curve(x: np.ndarray, begin: float, span: float, bend: float) -> np.ndarray:
        return begin + span * np.expm1(-bend * x) / np.expm1(-bend)

    for rows, key, sign, start in (
        (data[:1000], "nonlinearity_set", 1, (-1, 2, -0.5)),
        (data[1000:], "nonlinearity_reset", -1, (1, -2, 1.0)),
    ):
        bend = curve_fit(curve, pulses, rows, start)[0][2]
        assert distance(gong, key, sign * label(bend)) < 3
        assert gong.values[key].sigma < 0.5
    assert gong.values["nonlinearity_reset"].value < -2  # fast at first
    model, data = gong.picture["model"], gong.picture["data"]
    span = gong.values["g_max"].value - gong.values["g_min"].value
    assert np.sqrt(np.mean((data - model) ** 2)) < 0.1 * span


def test_preset_of_a_fit_is_loaded_again(gong: DeviceFit, tmp_path: Path) -> None:
    path = tmp_path / "gong.json"
    path.write_text(gong.preset_text())
    loaded = load_device(str(path))
    assert loaded.device == gong.device
    assert loaded.device.name == "Gong2018"
    assert loaded.valid["pulses in a row"] == (1.0, 1000.0)
    assert gong.digest in loaded.device.citation
    assert gong.summary()["values"]["g_max"]["unit"] == "of the data"


def sweep(name: str, amplitude: float, frequency: float, points: int = 81) -> Sweep:
    """What SciPy's LSODA gives, without noise."""
    time = np.linspace(0, 1 / frequency, points)
    volts = amplitude * np.sin(2 * np.pi * frequency * time)
    found = response(find_ode(name), time, volts, points=2)
    return Sweep(time, volts, np.interp(time, found.time, found.current), "sweep", "0")


def noisy(data: Sweep, seed: int, relative: float = 0.02) -> Sweep:
    rng = np.random.default_rng(seed)
    knee = 1e-3 * np.abs(data.current).max()
    sigma = relative * np.hypot(data.current, knee)
    current = data.current + sigma * rng.standard_normal(data.time.size)
    return Sweep(data.time, data.voltage, current, "noisy", str(seed))


@pytest.mark.parametrize("draws", [8, pytest.param(150, marks=pytest.mark.slow)])
def test_known_numbers_of_equations_come_back_within_the_stated_uncertainty(draws: int) -> None:
    device, clean = find_ode("Zhou2022"), sweep("Zhou2022", 0.2, 100, 49)
    names = ("r_on", "tau", "v_on")
    rng = np.random.default_rng(0)
    inside = dict.fromkeys(names, 0)
    for seed in range(draws):
        begin = {n: device.numbers[n] * math.exp(0.1 * rng.standard_normal()) for n in names}
        found = fit_device(device.with_numbers(**begin), noisy(clean, seed), free=names)
        for n in names:
            inside[n] += distance(found, n, device.numbers[n]) <= 2
            assert found.values[n].sigma < 0.1 * device.numbers[n]
    assert min(inside.values()) >= 0.9 * draws - 1, inside


@pytest.mark.parametrize(
    ("name", "amplitude", "frequency", "changed"),
    [
        ("Yakopcic2013", 0.4, 500.0, {"a_1": 0.2, "v_p": 0.18}),
        ("Nugent2014", 0.6, 1000.0, {"r_on": 600.0, "tau": 1.2e-4}),
        ("AgClass", 0.6, 500.0, {"r_on": 1.2e4, "v_hold": 0.12}),
    ],
)
def test_other_kinds_come_back_from_clean_sweeps(
    name: str, amplitude: float, frequency: float, changed: dict[str, float]
) -> None:
    device = find_ode(name)
    data = noisy(sweep(name, amplitude, frequency), 1, 1e-3)
    found = fit_device(device.with_numbers(**changed), data, free=tuple(changed))
    for n in changed:
        assert found.values[n].value == pytest.approx(device.numbers[n], rel=0.01, abs=0)
    assert found.valid["voltage"][1] == pytest.approx(amplitude, rel=0.01)
    assert isinstance(found.device, Ode)
    assert found.device.v_max == np.abs(data.voltage).max()


@pytest.mark.parametrize("name", ["Nugent2014", "Yakopcic2013", "Lammie2022", "AgClass"])
def test_integrator_of_fits_agrees_with_lsoda(name: str) -> None:
    device = find_ode(name)
    scale = max(abs(x) for n, x in device.numbers.items() if n.startswith("v_"))
    time = np.linspace(0, 2e-3, 101)
    volts = 2 * scale * np.sin(2 * np.pi * 1e3 * time)
    found = response(device, time, volts, points=2)
    states = trajectories(
        device, time, lambda t: np.full(2, np.interp(t, time, volts)), device.numbers,
        starts(device, device.numbers, (2,)), tolerance=1e-6,
    )  # fmt: skip
    truth = np.interp(time, found.time, found.states[0])
    assert np.abs(states[0, 0] - truth).max() < 1e-3 * np.ptp(truth)
    assert (states[:, 0] == states[:, 1]).all()


def test_a_choice_of_numbers_is_made_and_starts_are_counted() -> None:
    data = noisy(sweep("Zhou2022", 0.2, 100), 3)
    found = fit_device(find_ode("Zhou2022"), data, starts=2)
    assert "r_on" in found.values
    assert not any(math.isinf(value.sigma) for value in found.values.values())
    assert any("of 2 starts led to this fit" in note for note in found.notes)


def test_a_number_that_the_data_do_not_determine_is_named() -> None:
    """With an ohmic share of 1 the Schottky current flows nowhere."""
    data = noisy(sweep("Zhou2022", 0.2, 100), 1)
    found = fit_device(find_ode("Zhou2022"), data, free=("r_on", "b_f"))
    assert math.isinf(found.values["b_f"].sigma)
    assert not math.isinf(found.values["r_on"].sigma)
    assert any("b_f: not determined by these data" in note for note in found.notes)
    assert found.summary()["values"]["b_f"]["sigma"] is None


def test_residuals_that_follow_each_other_are_said() -> None:
    """A current that is no such device's: a resistor's."""
    time = np.linspace(0, 1e-2, 101)
    volts = 0.2 * np.sin(2 * np.pi * 100 * time)
    data = Sweep(time, volts, volts / 2e4, "resistor", "0")
    found = fit_device(find_ode("Zhou2022"), data, free=("r_on",))
    assert any("residuals follow each other" in note for note in found.notes)


PULSES = "direction,conductance\n" + "".join(f"set,{1e-6 + k * 1e-7}\n" for k in range(9))
SWEEP = "time,voltage,current\n0,0,0\n1,1,1e-3\n2,0,0\n"
LONG = "conductance\n" + "1e-6\n" * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has neither a column conductance"),
        ("time,voltage\n1,2\n", "without current there is none"),
        ("", "It has none; map them by --column"),
        ("conductance\n1e-6\nhigh\n", "value 2 of column conductance holds 'high'"),
        ("conductance\n1e-6\nnan\n", "is nan; remove the row"),
        ("device,conductance\na,1e-6\na,\n", "value 2 of column conductance is empty"),
        ("conductance\n1e-6\n", "a staircase needs two or more"),
        ("conductance\n1e-6\n-1e-6\n", "a conductance of -1e-06 S, and no device has"),
        ("conductance\n12\n14\n", "if they are in microsiemens, say so by --unit"),
        ("direction,conductance\nwest,1e-6\nset,2e-6\n", "is 'west': write set or reset"),
        ("voltage,conductance\n0,1e-6\n1,2e-6\n", "a pulse of 0 V is neither SET nor RESET"),
        ("voltage,conductance\n1,1e-6\n2,2e-6\n", "have a voltage of 1 to 2 V; one curve"),
        ("voltage,conductance\n900,1e-6\n900,2e-6\n", "if they are millivolts, say so"),
        ("time,voltage,current\n0,0,0\n1,1,1\n", "a sweep needs three or more"),
        ("time,voltage,current\n0,0,0\n2,1,1\n1,0,0\n", "times must rise"),
        ("time,voltage,current\n0,0,0\n1,900,1\n2,0,0\n", "if it is in millivolts"),
        ("time,voltage,current\n0,0,0\n1,1,900\n2,0,0\n", "if it is in microamperes"),
        ("time,voltage,current\n0,1,1\n1,1,1\n2,1,1\n", "nothing to fit"),
        ("device,time,voltage,current\na,0,0,0\nb,1,1,1\n", "of several devices (a, b)"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_device_data(path)
    assert message in str(caught.value)


def test_files_that_are_too_large_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.csv"
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_device_data(path)
    path.write_text(LONG)
    with pytest.raises(DataError, match=r"has no column 'G' \(conductance\)"):
        read_device_data(path, Columns({"conductance": "G"}))
    monkeypatch.setattr(device_data, "LARGEST_STAIRCASE", 3)
    with pytest.raises(DataError, match="holds 4 pulses; 3 are fitted"):
        read_device_data(path)
    path.write_text(SWEEP + "3,1,1e-3\n")
    monkeypatch.setattr(device_data, "LARGEST_SWEEP", 3)
    with pytest.raises(DataError, match="take every 2th row"):
        read_device_data(path)
    monkeypatch.setattr(device_data, "LARGEST_FILE", 10)
    with pytest.raises(DataError, match="take one device, or every n-th row"):
        read_device_data(path)


def test_columns_units_and_runs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("G,V,n,width\n1,0.8,1,1e-6\n2,0.8,2,1e-6\n1.5,-0.9,1,2e-6\n1,-0.9,2,2e-6\n")
    columns = Columns({"conductance": "G", "voltage": "V", "pulse": "n"}, {"conductance": 1e-6})
    found = read_device_data(path, columns)
    assert isinstance(found, PulseData)
    each = found.staircases[""]
    assert each.conductance == pytest.approx([1e-6, 2e-6, 1.5e-6, 1e-6], rel=1e-12, abs=0)
    assert each.up.tolist() == [True, True, False, False]
    assert each.first.tolist() == [True, False, True, False]
    assert (found.set_pulse, found.reset_pulse) == ((0.8, 1e-6), (-0.9, 2e-6))


def test_the_sign_of_the_base_says_which_voltage_sets(tmp_path: Path) -> None:
    """Park2013 sets at -2 V: its own pulses come back as they were put in, not swapped."""
    device = preset("Park2013", device_spread=0.0)
    assert device.set_pulse is not None
    assert device.set_pulse.voltage == -2
    each = staircases(device, 0).staircases["0"]
    path = tmp_path / "data.csv"
    rows = [f"{-2 if u else 2},{g:.12e}" for u, g in zip(each.up, each.conductance, strict=True)]
    path.write_text("\n".join(["voltage,conductance", *rows]))
    data = read_device_data(path, base=device)
    assert isinstance(data, PulseData)
    assert (data.staircases[""].up == each.up).all()
    found = fit_device(device, data)
    assert distance(found, "nonlinearity_set", device.nonlinearity_set) < 2
    with pytest.raises(DataError, match="the base's pulses have the other sign"):
        read_device_data(path)


def test_two_pulses_of_one_sign_are_told_by_their_amplitude(tmp_path: Path) -> None:
    """Phase change: 0.7 V sets and 3 V resets."""
    path = tmp_path / "data.csv"
    path.write_text("voltage,conductance\n0.8,1e-5\n0.8,2e-5\n2.8,1.5e-5\n2.8,1e-5\n")
    found = read_device_data(path, base=find_device("Kuzum2012"))
    assert isinstance(found, PulseData)
    assert found.staircases[""].up.tolist() == [True, True, False, False]


def test_directions_are_guessed_run_by_run_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    ups = [f"{k},{1e-6 + k * 1e-7}" for k in range(1, 9)]
    downs = [f"{k},{2e-6 - k * 1e-7}" for k in range(1, 9)]
    path.write_text("\n".join(["pulse,conductance", *ups, *downs]))
    found = read_device_data(path)
    assert isinstance(found, PulseData)
    assert found.staircases[""].up.tolist() == [True] * 8 + [False] * 8
    assert "the direction of 1 run(s) was guessed as SET and of 1 as RESET" in found.notes[0]
    assert found.notes[0] in fit_device(find_device("Wu2018"), found).notes
    path.write_text("\n".join(["n,conductance", *ups, *downs]))
    with pytest.raises(DataError, match="add a column direction"):
        read_device_data(path)


def test_directions_against_the_conductance_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"reset,{1e-6 + k * 1e-7}" for k in range(9)]
    path.write_text("\n".join(["direction,conductance", *rows]))
    with pytest.raises(DataError, match="SET pulses lower the conductance, or RESET pulses raise"):
        read_device_data(path)


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("conductance\n" + "1" * 200_000 + "\n")
    with pytest.raises(DataError, match="is no CSV file of measured values: field larger than"):
        read_device_data(path)


def test_a_forgotten_unit_is_noted() -> None:
    device = preset("Park2013", device_spread=0.0)
    data = staircases(device, 0, cycles=1)
    found = {k: Staircase(1e3 * e.conductance, e.up, e.first) for k, e in data.staircases.items()}
    told = fit_device(device, PulseData(found, False, None, None, "nanosiemens", "0")).notes
    assert any("times that of Park2013: if the file's conductances" in note for note in told)
    assert not any("times that of" in note for note in fit_device(device, data).notes)


def test_devices_and_data_that_do_not_go_together(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(PULSES)
    pulses = read_device_data(path)
    path.write_text(SWEEP)
    rest = read_device_data(path)
    curve, equations = find_device("Wu2018"), find_device("Zhou2022")
    cases: list[tuple[object, object, dict[str, object], type[SpicesnnError], str]] = [
        (equations, pulses, {}, DataError, "give a sweep of time, voltage and current"),
        (curve, rest, {}, DataError, "give conductances after pulses, not a sweep"),
        (find_device("Nandakumar2018"), pulses, {}, DataError, "is not fitted: pulses give"),
        (curve, pulses, {"free": ("g_min",)}, ParameterError, "fitted as a whole"),
        (equations, rest, {"free": ("r_onn",)}, UnknownNameError, "did you mean 'r_on'"),
        (equations, rest, {"free": ("tau", "tau")}, ParameterError, "name each parameter once"),
        (equations, rest, {"starts": 0}, ParameterError, "0 starts: give 1 or more"),
        (equations, rest, {"seed": -1}, ParameterError, "a seed of -1: give 0 or more"),
        (equations, rest, {"name": "../evil"}, ParameterError, "cannot be called '../evil'"),
        (curve, pulses, {"name": "Wu2018"}, ParameterError, "is a preset of the package"),
        (equations, rest, {"levels": 9}, ParameterError, "levels are of devices that answer"),
        (equations, rest, {"free": ("r_on", "r_off", "tau", "v_on")}, DataError,
         "3 points cannot give 4 parameters"),
    ]  # fmt: skip
    for base, data, options, kind, message in cases:
        with pytest.raises(kind) as caught:
            fit_device(base, data, **options)  # type: ignore[arg-type]
        assert message in str(caught.value)


def test_data_that_say_too_little() -> None:
    def of(values: list[float], ups: list[bool]) -> PulseData:
        first = np.arange(len(values)) == 0
        each = Staircase(np.array(values), np.array(ups), first)
        return PulseData({"": each}, False, None, None, "few", "0")

    device = find_device("Wu2018")
    with pytest.raises(DataError, match="the conductance never changes"):
        fit_device(device, of([1e-6] * 9, [True] * 9))
    with pytest.raises(DataError, match="measure more"):
        fit_device(device, of([1e-6, 2e-6, 1e-6], [True, True, False]))


def test_a_sweep_beyond_what_the_equations_bear() -> None:
    """An exponential Schottky current at 90 V is beyond floating point."""
    time = np.linspace(0, 1e-3, 11)
    data = Sweep(time, np.linspace(0, 90, 11), np.linspace(0, 1, 11), "far", "0")
    device = find_ode("Nugent2014").with_numbers(b_f=40.0)
    with pytest.raises(SimulationError, match="beyond what it was made for"):
        fit_device(device, data, free=("r_on",))


def test_files_that_are_no_presets(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(DataError, match="cannot be read"):
        load_device(str(path))
    for text, kind, message in (
        ("{", DataError, "is no preset of a device"),
        ('{"kind": "x", "preset": {}, "valid": {}}', UnknownNameError, "no kind of device named"),
        (
            '{"kind": "VTEAM", "preset": {"name": "../x"}, "valid": {}}',
            ParameterError,
            "cannot be called",
        ),
        ('{"kind": "VTEAM", "preset": [], "valid": {}}', DataError, "its preset is no list"),
        (
            '{"kind": "VTEAM", "preset": {"name": "X", "r_on": -1}, "valid": {}}',
            ParameterError,
            "r_on",
        ),
    ):
        path.write_text(text)
        with pytest.raises(kind, match=message):
            load_device(str(path))
    with pytest.raises(UnknownNameError, match="did you mean 'Wu2018'"):
        load_device("Wu2019")


def test_numbers_that_must_be_alike_move_together(tmp_path: Path) -> None:
    """Of a switch's two Schottky currents neither is freed alone: the device would give power."""
    base = find_ode("Nugent2014")
    time = np.linspace(0, 2e-3, 81)
    volts = 0.4 * np.sin(2 * np.pi * 1e3 * time)
    other = base.with_numbers(a_f=1e-3, a_r=1e-3)
    found = response(other, time, volts, points=1)
    path = tmp_path / "sweep.csv"
    lines = [f"{t:.9g},{v:.9g},{i:.9g}" for t, v, i in
             zip(found.time, found.voltage, found.current, strict=True)]  # fmt: skip
    path.write_text("\n".join(["time,voltage,current", *lines]) + "\n")
    fitted = fit_device(base, read_device_data(path), free=("a_f",)).device
    assert isinstance(fitted, Ode)
    assert fitted.numbers["a_f"] == fitted.numbers["a_r"]
    assert fitted.numbers["a_f"] == pytest.approx(1e-3, rel=1e-3, abs=0)
