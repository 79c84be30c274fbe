"""The printed texts: numbers, names, operating points, instances; run by ngspice alone."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from forms import apart, compiled, jax_numbers

from spicesnn.circuits.device_forms import device_forms
from spicesnn.devices import find_ode
from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.devices.presets import ODE_PRESETS
from spicesnn.devices.printers.comments import comment, one_line, quoted
from spicesnn.devices.printers.infix import InfixPrinter
from spicesnn.devices.printers.jax import source
from spicesnn.devices.smooth import clipped, logistic, softplus
from spicesnn.engine.installation import find_installation
from spicesnn.engine.osdi import compiled_module
from spicesnn.errors import ParameterError
from spicesnn.units import exact_number

FORMS = pytest.mark.parametrize("form", ["subcircuit", pytest.param("compiled", marks=compiled)])
PRESETS = pytest.mark.parametrize("device", ODE_PRESETS, ids=lambda device: device.name)
KINDS = sorted({type(device) for device in ODE_PRESETS}, key=lambda kind: kind.__name__)

# Reserved by Verilog-A (2.4, annex of keywords) and its standard functions.
_VERILOG = """
    above abs absdelay absdelta access acos acosh ac_stim aliasparam always analog analysis and
    asin asinh assert assign atan atan2 atanh automatic begin bound_step branch buf bufif0 bufif1
    case casex casez ceil cell cmos config connect connectmodule connectrules continuous cos cosh
    cross ddt ddt_nature ddx deassign default define defparam delay design disable discipline
    discontinuity discrete domain driver_update edge else end endcase endconfig endconnectrules
    enddiscipline endfunction endgenerate endmodule endnature endparamset endprimitive endspecify
    endtable endtask event exclude exp final_step flicker_noise floor flow for force forever fork
    from function generate genvar ground highz0 highz1 hypot idt idt_nature idtmod if ifnone incdir
    include inf initial initial_step inout input instance integer join laplace_nd laplace_np
    laplace_zd laplace_zp large last_crossing liblist library limexp limit ln localparam log
    macromodule max medium merged min module nand nature negedge net_resolution nmos noise_table
    nor noshowcancelled not notif0 notif1 or output parameter paramset pmos posedge potential pow
    primitive pull0 pull1 pulldown pullup rcmos real realtime reg release repeat resolveto rnmos
    rpmos rtran rtranif0 rtranif1 scalared sin sinh slew small specify specparam split sqrt string
    strong0 strong1 supply0 supply1 table tan tanh task temperature time timer tran tranif0 tranif1
    transition tri tri0 tri1 triand trior trireg units unsigned use vectored vt wait wand weak0
    weak1 while white_noise wire wor wreal xnor xor zi_nd zi_np zi_zd zi_zp
"""
# Functions, constants and words of ngspice's expressions, instances and B-sources.
_SPICE = """
    abs acos acosh agauss and arctan asin asinh atan atanh aunif boltz c ceil cos cosh ddt defined
    div dtemp e echarge eq exp false floor ge gauss gt hertz i idt int kelvin le limit ln log log10
    lt m max min mod ne nint no not or params pi planck pow ptc pwl pwr sgn sin sinh sqr sqrt stp
    tan tanh tc tc1 tc2 temp temper ternary_fcn time true u u2 unif uramp v var vec yes
"""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_name_means_something_to_a_simulator(kind: type[Ode]) -> None:
    """Parameters, states and named quantities, in circuits and in Verilog-A."""
    named = [str(symbol) for symbol, _ in kind.equations().named]
    states = [state.name for state in kind.states]
    names = [*kind.numeric(), *states, *named]
    for name in names:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert name not in _VERILOG.split(), name
        assert name not in _SPICE.split(), name
        assert name not in ("p", "n", "run"), name
    printed = [f"{state}{end}" for state in states for end in ("_value", "_leaves")]
    assert len({*names, *printed}) == len(names) + len(printed)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_equations_know_their_symbols(kind: type[Ode]) -> None:
    """Every symbol is a state, a declared number, the voltage or named before its use."""
    equations = kind.equations()
    known = {"v", *kind.numeric(), *(state.name for state in kind.states)}
    for symbol, value in equations.named:
        assert {str(each) for each in value.free_symbols} <= known, symbol
        known.add(str(symbol))
    for expression in (equations.current, *equations.rates):
        assert {str(each) for each in expression.free_symbols} <= known
    assert len(equations.rates) == len(kind.states)


@pytest.mark.parametrize(
    "value", [0.1, 1 / 3, 1e-9, 6.02214076e23, -7.3e-12, 1e15, 123456789.123, 2.5e-320, 0.0]
)
def test_a_number_keeps_its_figures(value: float) -> None:
    text = exact_number(value)
    assert float(text) == value
    assert not re.search(r"[a-df-zA-Z+]", text)


def test_infix_writes_what_simulators_read() -> None:
    x, y = sp.symbols("x y")
    printer = InfixPrinter("pow({base}, {exponent})")
    assert printer.doprint(x**3) == "(x*x*x)"
    assert printer.doprint(x**-2) == "(1/(x*x))"
    assert printer.doprint((x + y) ** 2) == "((x + y)*(x + y))"
    assert printer.doprint(x**y) == "pow(x, y)"
    assert printer.doprint(sp.sqrt(x)) == "sqrt(x)"
    assert printer.doprint(1 / sp.sqrt(x)) == "(1/sqrt(x))"
    assert printer.doprint(sp.Rational(2, 3) + x) == "x + (2.0/3)"
    assert printer.doprint(sp.log(x)) == "ln(x)"
    assert printer.doprint(logistic(x)) == "(0.5+0.5*tanh(0.5*(x)))"
    assert printer.doprint(clipped(x, 0, y)) == "min(max(x, 0), y)"
    assert printer.doprint(softplus(x)) == "(max(x, 0)+ln(1+exp(-abs(x))))"


@PRESETS
def test_texts_carry_every_number_and_their_source(device: Ode) -> None:
    texts = device_forms(device)
    for text in (texts.subcircuit, texts.verilog, source(device)):
        assert device.citation in text
        assert text.endswith("\n")
        text.encode("ascii")
    header = re.search(r"\.subckt \S+ p n .*", texts.subcircuit).group()  # type: ignore[union-attr]
    for name, value in device.numbers.items():
        assert f" {name}={exact_number(value)}" in header
        assert f"parameter real {name} = {exact_number(value)}" in texts.verilog
    assert apart(jax_numbers, device) == device.numbers


# What a preset from somebody's file could bring into a text that is run.
_HOSTILE = "\n".join([
    "First line", ".control", "shell touch evil", ".endc", "\r+ more\u2028+ more\x85+ more \\",
    '""" + print(1) + """ \\""" + print(1) + \'\'\' \\',
    "`include \"evil\" */ $finish {x} %s Erd\u0151s 1 \u00b5m \U0001d11e \x00\x1b[0m \ud800 \\\\",
])  # fmt: skip


def test_no_citation_or_name_gets_out_of_its_comment(tmp_path: Path) -> None:
    known = find_ode("Zhou2022")
    device = type(known)(
        **(known.model_dump() | {"name": _HOSTILE, "citation": _HOSTILE, "v_max": None})
    )
    texts, plain = device_forms(device, "zhou2022"), device_forms(known)
    for text, usual in (
        (texts.subcircuit, plain.subcircuit),
        (texts.wrapper, plain.wrapper),
        (texts.verilog, plain.verilog),
    ):
        # Line by line the same but for the comments, which cannot join the next line to theirs.
        assert len(text.splitlines()) == len(usual.splitlines())
        for line, other in zip(text.splitlines(), usual.splitlines(), strict=True):
            assert line == other or (line[0] == other[0] and line.startswith(("* ", "// ")))
            assert re.fullmatch(r"[ -~]*", line)
            assert not line.endswith("\\")
        assert text.count("shell touch evil") == 2
    text = source(device)
    text.encode("ascii")
    scope: dict[str, str] = {}
    exec(compile(text, "hostile", "exec"), scope)
    assert scope["__doc__"].count(one_line(_HOSTILE)) == 2
    assert len(text.splitlines()) == len(source(known).splitlines())
    (tmp_path / "device.sub").write_text(texts.subcircuit)
    found = batch(tmp_path, """hostile
.include device.sub
v1 top 0 dc 0.1
xd top 0 shown zhou2022
.control
op
print -i(v1)
.endc
.end
""")  # fmt: skip
    assert found["-i(v1)"]
    assert not (tmp_path / "evil").exists()


def test_one_line_of_plain_characters() -> None:
    assert one_line("a\n b\t\x00c\u2028d") == "a b c d"
    assert one_line("Erd\u0151s \u2013 3 \u00b5m, 5 \u2126, Stra\u00dfe \u4e2d") == (
        "Erdos - 3 um, 5 Ohm, Strasse ?"
    )
    assert comment("C:\\temp\\") == "C:/temp/"
    assert quoted('a"b\\n') == 'a\\"b\\\\n'


@PRESETS
def test_the_verilog_module_says_what_to_connect(device: Ode) -> None:
    """Every terminal has a line, and the one that must be driven says how."""
    text = device_forms(device).verilog
    for state in device.states:
        assert f"// {state.name}: shows {state.doc}, 1 V = {state.scale:g} {state.unit};" in text
    assert "// run: a source of 0 V in an operating point" in text
    assert "'vrun run 0 dc 0 pwl(0 1)'" in text


@pytest.mark.parametrize("name", ["Upper", "2nd", "with space", "a.b", "x;quit", "lineé", "a\nb"])
def test_a_name_that_spice_would_misread_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="take a lower-case letter, then letters, digits and"):
        device_forms(find_ode("Zhou2022"), name)


def batch(folder: Path, text: str, modules: tuple[str, ...] = ()) -> dict[str, list[float]]:
    """Run a deck by `ngspice -b` alone; every line `name = value` of what it prints, by name."""
    installation = find_installation()
    loads = "\n".join(f"pre_osdi {compiled_module(module)}" for module in modules)
    (folder / "deck.cir").write_text(text.replace("@osdi@", loads))
    answer = subprocess.run(
        [str(installation.program), "-n", "-b", "deck.cir"], cwd=folder, capture_output=True,
        text=True, check=False, timeout=60, env={**os.environ, **installation.environment()},
    )  # fmt: skip
    printed = answer.stdout + answer.stderr
    assert "rror" not in printed, printed
    found: dict[str, list[float]] = {}
    for name, value in re.findall(r"^(\S+) = (\S+)\s*$", printed, re.M):
        found.setdefault(name, []).append(float(value))
    return found


def sources(device: Ode, form: str, name: str = "") -> tuple[str, tuple[str, ...]]:
    """SPICE text of a form, and the Verilog-A that it needs."""
    texts = device_forms(device, name)
    if form == "subcircuit":
        return texts.subcircuit, ()
    return texts.wrapper, (texts.verilog,)


@FORMS
@PRESETS
def test_op_dc_and_the_begin_of_tran_hold_the_states(
    device: Ode, form: str, tmp_path: Path
) -> None:
    """Also an operating point after a transient, when the simulator's time is not zero."""
    text, modules = sources(device, form)
    node = device.states[0].name
    volts = 0.37 * (0.1 if device.name == "Zhou2022" else 1)
    nearly = 1e-15
    found = batch(tmp_path, f"""held states
{text}
v1 top 0 dc {volts}
xd top 0 {node} {text.split(".subckt ")[1].split()[0]}
.options reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-20 numdgt=12
.control
@osdi@
set numdgt=12
op
print -i(v1) v({node})
dc v1 {-volts} {volts} {volts}
let swept = -i(v1)
print swept[0] swept[2] v({node})[0] v({node})[2]
tran {nearly} {4 * nearly}
let began = -i(v1)
print began[0] v({node})[0]
op
print -i(v1) v({node})
.endc
.end
""", modules)  # fmt: skip
    start = np.array([device.numbers[device.states[0].start]])
    current = functions(type(device)).current
    here, there = (float(current(v, start, device.numbers)) for v in (volts, -volts))
    shown = start[0] / device.states[0].scale
    assert found["-i(v1)"] == pytest.approx([here, here], rel=1e-6, abs=0)
    assert found["swept[0]"] + found["swept[2]"] == pytest.approx([there, here], rel=1e-6, abs=0)
    assert found["began[0]"] == pytest.approx([here], rel=1e-6, abs=0)
    states = list(itertools.chain(*(v for k, v in found.items() if k.startswith(f"v({node})"))))
    assert len(states) == 5
    assert states == pytest.approx([shown] * 5, rel=1e-9, abs=1e-15)


@PRESETS
@pytest.mark.parametrize(
    ("form", "begins"), [("subcircuit", True), pytest.param("compiled", False, marks=compiled)]
)
def test_a_transient_without_an_operating_point(
    device: Ode, form: str, begins: bool, tmp_path: Path
) -> None:
    """`tran ... uic`: the subcircuit's states begin at their start; a compiled charge has none."""
    start = 0.7 * device.bounds(device.states[0])[1]
    started = device.with_numbers(**{device.states[0].start: start})
    text, modules = sources(started, form)
    node = device.states[0].name
    found = batch(tmp_path, f"""no operating point
{text}
v1 top 0 dc 0
xd top 0 {node} {device.name.lower()}
.control
@osdi@
set numdgt=12
tran 1e-15 4e-15 uic
let last = length({node}) - 1
let end = {node}[last]
print end
.endc
.end
""", modules)  # fmt: skip
    begun = start / device.states[0].scale
    assert found["end"] == pytest.approx([begun if begins else 0.0], rel=1e-5, abs=1e-5)


@PRESETS
def test_the_subcircuit_runs_from_a_file_of_its_own(device: Ode, tmp_path: Path) -> None:
    texts = device_forms(device)
    (tmp_path / "device.sub").write_text(texts.subcircuit)
    found = batch(
        tmp_path,
        f"""included
.include device.sub
v1 top 0 dc 0.1
xd top 0 shown {texts.name}
.control
set numdgt=12
op
print -i(v1)
.endc
.end
""",
    )
    start = np.array([device.numbers[device.states[0].start]])
    expected = float(functions(type(device)).current(0.1, start, device.numbers))
    assert found["-i(v1)"] == pytest.approx([expected], rel=1e-6, abs=0)


@FORMS
def test_two_devices_and_two_instances_in_one_deck(form: str, tmp_path: Path) -> None:
    """Each with its own numbers and start; their states move apart and as one alone would."""
    first, second = find_ode("Nugent2014"), find_ode("Yakopcic2013")
    (one, module_one), (two, module_two) = sources(first, form), sources(second, form)
    found = batch(tmp_path, f"""several
{one}
{two}
v1 top 0 dc 0 pwl(0 0 1u 0.3)
xa top 0 a nugent2014
xb top 0 b nugent2014 x_0=0.75 tau=2e-4 r_on=400
xc top 0 c yakopcic2013 x_0=0.5
.options reltol=1e-7 vntol=1e-9 abstol=1e-15
.control
@osdi@
set numdgt=12
tran 0.2u 100u
let last = length(a) - 1
let la = a[last]
let lb = b[last]
let lc = c[last]
print a[0] b[0] c[0] la lb lc
.endc
.end
""", module_one + module_two)  # fmt: skip
    from spicesnn.devices.response import response

    time, volts = np.array([0, 1e-6, 1e-4]), np.array([0, 0.3, 0.3])
    devices = {
        "a": first,
        "b": first.with_numbers(x_0=0.75, tau=2e-4, r_on=400.0),
        "c": second.with_numbers(x_0=0.5),
    }
    for name, device in devices.items():
        assert found[f"{name}[0]"] == pytest.approx([device.numbers["x_0"]], rel=1e-6, abs=0)
        end = response(device, time, volts).states[0, -1]
        assert found[f"l{name}"] == pytest.approx([end], rel=1e-4, abs=0)


@compiled
def test_the_compiled_module_refuses_a_number_out_of_its_bounds(tmp_path: Path) -> None:
    device = find_ode("Zhou2022")
    text, modules = sources(device, "compiled")
    with pytest.raises(AssertionError, match=r"(?i)r_on.*(range|bound)|(range|bound).*r_on"):
        batch(tmp_path, f"""out of bounds
{text}
v1 top 0 dc 0.1
xd top 0 x zhou2022 r_on=-5
.control
@osdi@
op
print -i(v1)
.endc
.end
""", modules)  # fmt: skip


def test_every_process_prints_the_same_text() -> None:
    """The compiled module is kept by its text: no order of a set may show in it."""
    code = (
        "import hashlib; from spicesnn.devices.presets import ODE_PRESETS\n"
        "from spicesnn.circuits.device_forms import device_forms\n"
        "from spicesnn.devices.printers.jax import source\n"
        "text = ''.join(f'{device_forms(d)}{source(d)}' for d in ODE_PRESETS)\n"
        "print(len(text), hashlib.sha256(text.encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1
    assert int(printed.pop().split()[0]) > 10_000
