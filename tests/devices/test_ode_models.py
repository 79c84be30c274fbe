"""Device equations against what is published of them and against laws that every device keeps."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from forms import apart, jax_derivatives, random_wave
from test_forms import DRIVES

import spicesnn.devices
from spicesnn.circuits.deck import Waveform
from spicesnn.devices import DEVICES, find_ode
from spicesnn.devices.hysteretic_switch import HystereticSwitch
from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.devices.presets import ODE_PRESETS
from spicesnn.devices.response import Response, response
from spicesnn.errors import DataError, ParameterError, SimulationError, UnknownNameError

Array = npt.NDArray[np.float64]
PRESETS = pytest.mark.parametrize("device", ODE_PRESETS, ids=lambda device: device.name)
KINDS = sorted({type(device) for device in ODE_PRESETS}, key=lambda kind: kind.__name__)
NONVOLATILE = [device for device in ODE_PRESETS if not device.volatile]
KEEPING = pytest.mark.parametrize("device", NONVOLATILE, ids=lambda device: device.name)


def span(device: Ode) -> float:
    low, high = device.bounds(device.states[0])
    return high - low


def inside(device: Ode, shares: Array) -> Array:
    """States at these shares of their range, shape (1, shares)."""
    return device.bounds(device.states[0])[0] + span(device) * shares[None, :]


# Every device.


@PRESETS
def test_presets_are_found_and_say_where_they_are_from(device: Ode) -> None:
    assert find_ode(device.name) is device
    year = "".join(filter(str.isdigit, device.name))
    assert f"({year})" in device.citation or device.citation.startswith("our choice")
    assert re.search(r"\bnot\b|\bnone\b", device.claim)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_number_of_a_published_model_names_its_publication(kind: type[Ode]) -> None:
    """All but the starts, which are a preset's own, and what has a default, which is ours."""
    starts = {state.start for state in kind.states}
    for name in kind.numeric():
        field = kind.model_fields[name]
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        assert extra["unit"] in {"1", "A", "K", "K/W", "V", "V/m", "1/V", "1/s", "m", "m/s",
                                 "ohm", "s"}, name  # fmt: skip
        published = re.search(r"\b(19|20)\d\d\b|doi ", str(extra["source"]))
        if kind is HystereticSwitch:
            assert not published
        elif field.is_required() and name not in starts:
            assert published, f"{kind.__name__}.{name}: {extra['source']}"
        elif name not in starts:
            assert extra["source"] == "our choice" or published


@PRESETS
def test_passive(device: Ode) -> None:
    """It never gives power, and at no voltage no current, in any state."""
    high = 2 * DRIVES[device.name].volts
    volts = np.linspace(-high, high, 201)
    for share in np.linspace(0, 1, 21):
        states = inside(device, np.full(volts.size, share))
        current = functions(type(device)).current(volts, states, device.numbers)
        assert (volts * current >= 0).all()
        assert (current[volts > 0] > 0).all() == (share > 0 or device.kind != "Yakopcic")
    if device.pinched:
        shares = np.linspace(0, 1, 21)
        still = functions(type(device)).current(0 * shares, inside(device, shares), device.numbers)
        np.testing.assert_array_equal(still, 0.0)


def sine(device: Ode, period: float, cycles: int = 3, corners: int = 120) -> Waveform:
    volts = DRIVES[device.name].volts * np.sin(2 * np.pi * np.arange(corners + 1) / corners)
    volts[[0, corners // 2, corners]] = 0.0
    whole = np.concatenate([[0.0], *[volts[1:]] * cycles])
    return Waveform(np.linspace(0, cycles * period, whole.size), whole)


@cache
def loop(device: Ode, period: float) -> Response:
    wave = sine(device, period)
    return response(device, wave.time, wave.value, points=4)


def area(found: Response, period: float) -> float:
    """Of both lobes of the last cycle, over the rectangle around the loop."""
    last = found.time >= found.time[-1] - period * 1.0001
    volts, current = found.voltage[last], found.current[last]
    lobes = [
        abs(np.trapezoid(np.where(side, current, 0.0), np.where(side, volts, 0.0)))
        for side in (volts >= 0, volts <= 0)
    ]
    return float(sum(lobes) / (np.ptp(volts) * np.ptp(current)))


@PRESETS
def test_the_loop_is_pinched(device: Ode) -> None:
    """Current and voltage pass zero together, though the state at each passage is another."""
    found = loop(device, DRIVES[device.name].length)
    zero = found.voltage == 0
    assert zero.sum() >= 6
    assert np.ptp(found.states[0]) > 0.1 * span(device)
    np.testing.assert_array_equal(found.current[zero], 0.0)
    assert (found.current * found.voltage >= 0).all()
    assert area(found, DRIVES[device.name].length) > 5e-3


@KEEPING
def test_the_loop_closes_with_frequency(device: Ode) -> None:
    period = DRIVES[device.name].length
    areas = [area(loop(device, period / factor), period / factor) for factor in (1, 1e4)]
    assert areas[1] < 0.05 * areas[0]


@PRESETS
def test_what_is_kept_at_zero_voltage(device: Ode) -> None:
    """A volatile device forgets in a hundred runs' time, another keeps its state for one's."""
    low, high = device.bounds(device.states[0])
    middle = low + 0.6 * (high - low)
    kept = device.with_numbers(**{device.states[0].start: middle})
    length = (100 if device.volatile else 1) * DRIVES[device.name].length
    end = response(kept, np.array([0, length]), np.zeros(2)).states[0, -1]
    if device.volatile:
        assert end < low + 0.01 * (high - low)
    else:
        assert end == pytest.approx(middle, rel=1e-3, abs=0)


@PRESETS
def test_derivatives(device: Ode) -> None:
    """SymPy's against finite differences and against JAX's own, of its text."""
    of = functions(type(device))
    rng = np.random.default_rng(3)
    volts = rng.uniform(-1, 1, 40) * DRIVES[device.name].volts
    states = inside(device, rng.uniform(0.05, 0.95, 40))
    numbers, h_v, h_s = device.numbers, 1e-7, 1e-7 * span(device)

    def difference(of: Callable[..., Array], v: float, s: float) -> Array:
        forth = of(volts + v, states + s, numbers)
        return np.asarray((forth - of(volts - v, states - s, numbers)) / (2 * (v or s)))

    pairs = [
        (of.conductance, difference(of.current, h_v, 0)),
        (of.current_by_state, difference(of.current, 0, h_s)),
        (of.rates_by_state, difference(of.rates, 0, h_s)),
    ]
    for exact, near in pairs:
        value = exact(volts, states, numbers)
        scale = np.abs(value).max()
        np.testing.assert_allclose(value.ravel(), near.ravel(), rtol=1e-4, atol=1e-6 * scale)
    by_v, by_state, rates, by_number = apart(jax_derivatives, device, volts, states)
    for own, theirs in (
        (of.conductance(volts, states, numbers), by_v),
        (of.current_by_state(volts, states, numbers)[0], by_state[:, 0]),
        (of.rates_by_state(volts, states, numbers)[0, 0], rates[:, 0, 0]),
    ):
        scale = float(np.abs(own).max())
        np.testing.assert_allclose(own, theirs, rtol=1e-8, atol=1e-13 * scale)
    assert np.isfinite(by_number)


def test_numbers_may_be_arrays() -> None:
    """One device a number, as a spread of devices has them; a single point is a plain number."""
    device = find_ode("Zhou2022")
    several = {**device.numbers, "r_on": np.array([1e3, 2e3])}
    of = functions(type(device))
    found = of.current(np.array([0.1, 0.1]), np.array([[1.0, 1.0]]), several)
    np.testing.assert_allclose(found, [1e-4, 5e-5], rtol=1e-12)
    assert of.current(0.1, np.array([1.0]), device.numbers).shape == ()


def test_every_preset_is_exported() -> None:
    offered = [getattr(spicesnn.devices, name) for name in spicesnn.devices.__all__]
    assert all(any(each is device for each in offered) for device in DEVICES.values())


# Against the published, unsmoothed equations.


def corners(wave: Waveform, steps: int) -> tuple[Array, Array]:
    time = np.linspace(0, wave.time[-1], steps + 1)
    return time, np.interp(time, wave.time, wave.value)


def test_vteam_smoothing() -> None:
    """The rate of VTEAM is the voltage's alone: its integral, clipped, is the published state."""
    device = find_ode("Lammie2022")
    n, drive = device.numbers, DRIVES[device.name]
    worst = 0.0
    for seed in (1, 5):
        wave = random_wave(seed, drive.length, drive.volts)
        time, volts = corners(wave, 240_000)
        over = np.maximum(volts / n["v_off"] - 1, 0) ** n["alpha_off"]
        under = np.maximum(volts / n["v_on"] - 1, 0) ** n["alpha_on"]
        rate = n["k_off"] * over + n["k_on"] * under
        steps = 0.5 * (rate[1:] + rate[:-1]) * time[1]
        w, states = n["w_0"], [n["w_0"]]
        for step in steps:
            w = min(max(w + step, 0.0), n["d"])
            states.append(w)
        smooth = response(device, wave.time, wave.value, points=200, tolerance=1e-8)
        off = np.interp(smooth.time, time, states) - smooth.states[0]
        worst = max(worst, float(np.abs(off).max()) / n["d"])
    assert worst < 2e-3


def test_yakopcic_smoothing() -> None:
    """The published corners, integrated by the classical Runge-Kutta method."""
    device = find_ode("Yakopcic2013")
    n, drive = device.numbers, DRIVES[device.name]

    def rate(v: float, x: float) -> float:
        if v > n["v_p"]:
            g = n["a_p"] * (math.exp(v) - math.exp(n["v_p"]))
            if x < n["x_p"]:
                return g
            return g * math.exp(-n["alpha_p"] * (x - n["x_p"])) * (1 - x) / (1 - n["x_p"])
        if v < -n["v_n"]:
            g = -n["a_n"] * (math.exp(-v) - math.exp(n["v_n"]))
            if x > 1 - n["x_n"]:
                return g
            return g * math.exp(n["alpha_n"] * (x + n["x_n"] - 1)) * x / (1 - n["x_n"])
        return 0.0

    worst = 0.0
    for seed in (1, 5):
        wave = random_wave(seed, drive.length, drive.volts)
        time, volts = corners(wave, 24_000)
        h, x, states = 2 * time[1], n["x_0"], [n["x_0"]]
        for before, middle, after in zip(volts[:-2:2], volts[1:-1:2], volts[2::2], strict=True):
            k1 = rate(before, x)
            k2 = rate(middle, x + 0.5 * h * k1)
            k3 = rate(middle, x + 0.5 * h * k2)
            x += h / 6 * (k1 + 2 * k2 + 2 * k3 + rate(after, x + h * k3))
            states.append(x)
        smooth = response(device, wave.time, wave.value, points=200, tolerance=1e-8)
        off = np.interp(smooth.time, time[::2], states) - smooth.states[0]
        worst = max(worst, float(np.abs(off).max()))
    assert worst < 5e-4


def published_gap(
    device: Ode, wave: Waveform, gap: float, longest: float, most: float = 1e-12
) -> tuple[Array, Array]:
    """The package's equations with their jump and clip; explicit steps of `most` metres at most."""
    n = device.numbers
    low, high = n["gap_min"], n["gap_max"]
    k_over_q = 1.380649e-23 / 1.602176634e-19

    def rate(v: float, g: float) -> float:
        gamma = n["gamma_0"] - n["beta"] * (g / 1e-9) ** 3
        if gamma * abs(v) / n["t_ox"] < n["f_min"]:
            return 0.0
        current = n["i_0"] * math.exp(-g / n["g_0"]) * math.sinh(v / n["v_0"])
        kt = k_over_q * (n["t_ini"] + n["r_th"] * abs(v * current))
        drive = gamma * n["a_0"] / n["t_ox"] * v / kt
        return float(-n["vel_0"] * math.exp(-n["e_a"] / kt) * math.sinh(drive))

    times, gaps = [0.0], [gap]
    for k in range(wave.time.size - 1):
        length = wave.time[k + 1] - wave.time[k]
        start, slope = wave.value[k], (wave.value[k + 1] - wave.value[k]) / length
        t = 0.0
        while t < length:
            r = rate(start + slope * t, gap)
            if (gap <= low and r < 0) or (gap >= high and r > 0):
                r = 0.0
            h = min(longest, length - t, most / abs(r) if r else longest)
            if r:
                # Where the field is too low now, it is so until the next look at it.
                half = min(max(gap + 0.5 * h * r, low), high)
                gap = min(max(gap + h * rate(start + slope * (t + 0.5 * h), half), low), high)
            t = length if h == length - t else t + h
            times.append(wave.time[k] + t)
            gaps.append(gap)
    return np.array(times), np.array(gaps)


def crossing(time: Array, gap: Array, level: float) -> float:
    """When the gap first passes a level, either way."""
    k = int(np.flatnonzero(np.diff(np.signbit(gap - level)))[0])
    return float(time[k] + (level - gap[k]) / (gap[k + 1] - gap[k]) * (time[k + 1] - time[k]))


def ramp(sign: float) -> Waveform:
    """The package's DC benchmark, up: 0 to 2 V in 4 ms after 1 us."""
    return Waveform(np.array([0, 1e-6, 4.001e-3]), np.array([0, 0, 2.0 * sign]))


def pulse(volts: float) -> Waveform:
    """The package's pulse benchmark: 100 ns with edges of 10 ps."""
    time = np.array([0, 10e-12, 20e-12, 100.02e-9, 100.03e-9, 200e-9])
    return Waveform(time, np.array([0, 0, volts, volts, 0, 0]))


LEVELS = np.array([0.3, 0.6, 0.95, 1.2, 1.5]) * 1e-9


def test_stanford_set_of_the_package_is_abrupt() -> None:
    """DC: published and smoothed switch within millivolts of each other, within a tenth of one."""
    device = find_ode("Jiang2014")
    wave = ramp(1.0)
    time, gap = published_gap(device, wave, 1.7e-9, 1e-7)
    smooth = response(device, wave.time, wave.value, points=2000, tolerance=1e-8)
    volts = [np.interp(crossing(time, gap, x), wave.time, wave.value) for x in LEVELS]
    here = [
        np.interp(crossing(smooth.time, smooth.states[0], x), wave.time, wave.value) for x in LEVELS
    ]
    # The field's threshold at the largest gap, 12.07 times enhanced.
    assert volts[-1] == pytest.approx(1.4e9 * 12e-9 / (16 - 0.8 * 1.7**3), rel=5e-3)
    assert np.ptp(volts) < 1e-4
    assert np.ptp(here) < 1e-4
    np.testing.assert_allclose(here, volts, rtol=0, atol=2.7e-3)
    assert gap[-1] == pytest.approx(0.2e-9, rel=1e-3, abs=0)
    assert smooth.states[0, -1] == pytest.approx(0.2e-9, rel=1e-3, abs=0)


def test_stanford_reset_of_the_package_is_gradual() -> None:
    device = find_ode("Jiang2014").with_numbers(gap_0=0.2e-9)
    wave = ramp(-1.0)
    time, gap = published_gap(device, wave, 0.2e-9, 1e-7)
    smooth = response(device, wave.time, wave.value, points=2000, tolerance=1e-8)
    volts = [np.interp(crossing(time, gap, x), wave.time, wave.value) for x in LEVELS]
    here = [
        np.interp(crossing(smooth.time, smooth.states[0], x), wave.time, wave.value) for x in LEVELS
    ]
    # It begins at the field's threshold of the smallest gap and then follows it.
    assert volts[0] == pytest.approx(-1.4e9 * 12e-9 / (16 - 0.8 * 0.2**3), rel=1e-2)
    assert np.ptp(volts) > 0.2
    np.testing.assert_allclose(here, volts, rtol=0, atol=2.1e-3)
    follows = -1.4e9 * 12e-9 / (16 - 0.8 * (LEVELS[1:] / 1e-9) ** 3)
    np.testing.assert_allclose(volts[1:], follows, rtol=3e-4)


@pytest.mark.parametrize(("volts", "start"), [(1.8, 1.7e-9), (-1.3, 0.2e-9)])
def test_stanford_pulses_of_the_package(volts: float, start: float) -> None:
    """The states reached and, of the abrupt SET, its time, as the published equations give them."""
    device = find_ode("Jiang2014").with_numbers(gap_0=start)
    wave = pulse(volts)
    time, gap = published_gap(device, wave, start, 2e-11, 2e-13)
    smooth = response(device, wave.time, wave.value, points=100, tolerance=1e-9)
    off = np.abs(np.interp(smooth.time, time, gap) - smooth.states[0]) / 1.5e-9
    assert smooth.states[0, -1] == pytest.approx(gap[-1], rel=5e-6, abs=0)
    if volts > 0:
        times = [crossing(time, gap, x) for x in LEVELS]
        here = [crossing(smooth.time, smooth.states[0], x) for x in LEVELS]
        assert gap[-1] == pytest.approx(0.2e-9, rel=1e-3, abs=0)
        assert times[0] < 10e-9
        # The half of the way takes a small part of the wait for it.
        assert times[0] - times[2] < 0.05 * times[2]
        np.testing.assert_allclose(here, times, rtol=1.2e-4)
    else:
        # Half of the way after 100 ns, each decade of time adding about as much.
        assert 0.9e-9 < gap[-1] < 1.2e-9
        parts = np.interp([1e-9, 1e-8, 1e-7], time, gap)
        assert (np.diff(parts) > 0.1e-9).all()
        assert off.max() < 1e-3


def test_stanford_heats_itself() -> None:
    """Without its thermal resistance SET takes longer: the heat is what makes it run away."""
    device, wave = find_ode("Jiang2014"), pulse(1.8)
    hot, cold = (
        response(each, wave.time, wave.value, points=100, tolerance=1e-8)
        for each in (device, device.with_numbers(r_th=0.0))
    )
    when = crossing(hot.time, hot.states[0], 0.95e-9)
    assert np.interp(when, cold.time, cold.states[0]) > 1.0e-9


# The two-threshold switch.


@pytest.mark.parametrize("name", ["NbO2Class", "AgClass"])
@pytest.mark.parametrize("sign", [1, -1])
def test_switch_has_its_thresholds_when_the_voltage_moves_slowly(name: str, sign: int) -> None:
    device = find_ode(name)
    n = device.numbers
    high, slow = 1.3 * n["v_threshold"], 1e5 * max(n["tau_on"], n["tau_off"])
    found = response(
        device, np.array([0, slow, 2 * slow]), sign * np.array([0, high, 0]), points=2000
    )
    x, volts = found.states[0], np.abs(found.voltage)
    changes = np.flatnonzero(np.diff(x > 0.5))
    assert len(changes) == 2
    room = 0.02 * (n["v_threshold"] - n["v_hold"])
    assert volts[changes[0]] == pytest.approx(n["v_threshold"], abs=room)
    assert volts[changes[1]] == pytest.approx(n["v_hold"], abs=room)
    assert volts[changes[0]] >= n["v_threshold"] - room / 10
    assert volts[changes[1]] <= n["v_hold"] + room / 10


@pytest.mark.parametrize("name", ["NbO2Class", "AgClass"])
def test_switch_switches_in_its_time_constants(name: str) -> None:
    device = find_ode(name)
    n = device.numbers
    on = response(
        device, np.array([0, 1e-4, 3.0]) * n["tau_on"], 1.5 * n["v_threshold"] * np.array([0, 1, 1])
    )
    rise = np.interp(n["tau_on"], on.time, on.states[0])
    assert rise == pytest.approx(1 - math.exp(-1), rel=2e-3)
    off = response(device.with_numbers(x_0=1.0), np.array([0, 3.0]) * n["tau_off"], np.zeros(2))
    assert np.interp(n["tau_off"], off.time, off.states[0]) == pytest.approx(math.exp(-1), rel=2e-3)
    resistances = [
        0.1 / float(functions(type(device)).current(0.1, np.array([x]), n)) for x in (0.0, 0.5, 1.0)
    ]
    middle = math.sqrt(n["r_off"] * n["r_on"])
    assert resistances == pytest.approx([n["r_off"], middle, n["r_on"]], rel=1e-12)


# Errors.


def test_a_start_outside_its_bounds_is_refused() -> None:
    with pytest.raises(
        ParameterError,
        match=r"Jiang2014.gap_0 = 1.9e-09: state gap \(distance of electrode and filament\) lies "
        r"between 2e-10 and 1.7e-09 m; start it there.",
    ):
        find_ode("Jiang2014").with_numbers(gap_0=1.9e-9)
    with pytest.raises(ParameterError, match=r"Lammie2022.w_0 = 4e-09: .* between 0 and 3e-09 m"):
        find_ode("Lammie2022").with_numbers(w_0=4e-9)


@pytest.mark.parametrize(
    ("name", "changes", "text"),
    [
        ("AgClass", {"v_hold": 0.4},
         r"^AgClass.v_hold \(switches off below it \[V\]\) = 0.4 is not below v_threshold "
         r"\(switches on above it \[V\]\) = 0.3: give them the other way round, or apart.$"),
        ("NbO2Class", {"r_on": 1e6}, r"^NbO2Class.r_on .* = 1e\+06 is not below r_off "),
        ("Lammie2022", {"r_on": 2e3}, r"^Lammie2022.r_on .* = 2000 is not below r_off .* = 1000:"),
        ("Zhou2022", {"r_off": 1e3}, r"^Zhou2022.r_on .* = 1000 is not below r_off .* = 1000:"),
        ("Nugent2014", {"v_off": 0.3}, r"^Nugent2014.v_off .* = 0.3 is not below v_on .* = 0.27:"),
        ("Jiang2014", {"gap_min": 1.8e-9}, r"^Jiang2014.gap_min .* is not below gap_max "),
        ("Nugent2014", {"a_f": 2e-3},
         r"^Nugent2014.a_f = 0.002 A and a_r = 0.0008 A differ: at no voltage a current would"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_go_together_are_refused(
    name: str, changes: dict[str, float], text: str
) -> None:
    with pytest.raises(ParameterError, match=text):
        find_ode(name).with_numbers(**changes)


def test_one_schottky_current_moves_the_other() -> None:
    device = find_ode("Nugent2014")
    for name in ("a_f", "a_r"):
        numbers = device.tied({name: 2e-3, "tau": 1e-3})
        assert (numbers["a_f"], numbers["a_r"], numbers["tau"]) == (2e-3, 2e-3, 1e-3)
        assert device.with_numbers(**numbers).numbers == numbers
    assert device.tied({"a_f": 1.0, "a_r": 2.0})["a_r"] == 2.0
    assert find_ode("Lammie2022").tied({"r_on": 10.0})["r_off"] == 1000.0


def test_schottky_currents_without_a_share_may_differ() -> None:
    device = find_ode("Zhou2022").with_numbers(a_f=1e-3)
    assert functions(type(device)).current(0.0, np.array([0.5]), device.numbers) == 0


@PRESETS
def test_a_number_outside_its_bounds_is_refused(device: Ode) -> None:
    name = "i_0" if device.kind == "Stanford-PKU" else "a_1"
    name = "r_on" if "r_on" in device.numbers else name
    for wrong in (-1.0, 0.0):
        with pytest.raises(ParameterError, match=rf"\.{name} \(.*Input should be greater than 0"):
            device.with_numbers(**{name: wrong})
    with pytest.raises(ParameterError, match="finite number"):
        device.with_numbers(**{name: math.nan})


def test_an_unknown_number_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match="no parameter of VTEAM named 'k_of'; did you mean 'k_off'"
    ):
        find_ode("Lammie2022").with_numbers(k_of=1.0)


@pytest.mark.parametrize(
    ("time", "volts", "text"),
    [
        ([0.0], [0.0], "times and voltages of one shape"),
        ([0.0, 1.0], [0.0], "times and voltages of one shape"),
        ([[0.0, 1.0]], [[0.0, 1.0]], "times and voltages of one shape"),
        ([0.0, 0.0], [0.0, 1.0], "finite voltages at finite, rising times"),
        ([0.0, 1.0], [0.0, np.nan], "finite voltages at finite, rising times"),
        ([0.0, np.inf], [0.0, 1.0], "finite voltages at finite, rising times"),
    ],
)
def test_response_refuses_what_is_no_waveform(
    time: list[float], volts: list[float], text: str
) -> None:
    with pytest.raises(DataError, match=text):
        response(find_ode("Zhou2022"), np.array(time), np.array(volts))


def test_a_voltage_beyond_the_presets_range_is_refused() -> None:
    device, time = find_ode("Jiang2014"), np.array([0.0, 1e-9])
    assert device.v_max == 2.0
    text = (
        r"^2.5 V on Jiang2014, whose numbers are good for 2 V at most \(v_max\): lower the "
        r"voltage, or say with_numbers\(v_max=...\)"
    )
    for volts in (2.5, -2.5):
        with pytest.raises(DataError, match=text):
            response(device, time, np.array([0.0, volts]))
    response(device, time, np.array([0.0, 2.0]))
    wider = device.with_numbers(v_max=3.0)
    response(wider, time, np.array([0.0, 2.5]))
    assert device.with_numbers(v_max=None).v_max is None
    assert wider.numbers == device.numbers  # no parameter of the equations or of a printed form
    with pytest.raises(ParameterError, match=r"v_max \(.*\) = -1.0: .* greater than 0"):
        device.with_numbers(v_max=-1.0)


def test_response_refuses_a_current_beyond_every_number() -> None:
    """The state saturates, the exponential of the current does not."""
    with pytest.raises(
        SimulationError,
        match=r"^Zhou2022: its current at \d.* V is beyond every number, or none \(.* lower the v",
    ):
        response(find_ode("Zhou2022"), np.array([0.0, 1e-3]), np.array([0.0, 1e9]))


def test_response_says_where_it_cannot_go_on() -> None:
    """At 1 kV the rate of `exp(v)` is beyond every number."""
    with pytest.raises(
        SimulationError,
        match=r"Yakopcic2013: its equations cannot be integrated beyond 0 s .*1000 to 1000 V",
    ):
        response(find_ode("Yakopcic2013"), np.array([0.0, 1e-9]), np.array([1000.0, 1000.0]))
