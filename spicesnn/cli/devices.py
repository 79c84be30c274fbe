"""Commands on memristive devices: device list, show, emit, plot; fit device."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spicesnn.cli.fit_group import fit_app
from spicesnn.errors import ParameterError, RunFolderError, UnknownNameError

if TYPE_CHECKING:
    from spicesnn.devices import Device
    from spicesnn.devices.ode import Ode
    from spicesnn.fit.device_data import Columns
    from spicesnn.fit.device_result import DeviceFit
    from spicesnn.report.device_axes import Drawn
    from spicesnn.report.device_drive import Pulses

device_app = typer.Typer(
    no_args_is_help=True, help="Memristive devices: their numbers, printed forms and pictures."
)

_NAME = Annotated[str, typer.Argument(help="Of a preset, or the .json file of a fitted one.")]
_FORMS = ("spice", "verilog", "wrapper", "jax")


@device_app.command("list")
def list_devices(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say which presets there are, of which kind, and where their numbers come from."""
    from spicesnn.devices import DEVICES

    rows = [
        {"name": name, "kind": each.kind, "form": _form(each), "what": each.claim,
         "citation": each.citation}
        for name, each in DEVICES.items()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    width = shutil.get_terminal_size((80, 24)).columns
    wide = [max(len(row[key]) for row in rows) for key in ("name", "kind")]
    for row in rows:
        line = f"{row['name']:<{wide[0]}}  {row['kind']:<{wide[1]}}  {row['citation']}"
        typer.echo(line if len(line) <= width else f"{line[: width - 3]}...")
    typer.echo("`spicesnn device show NAME` has each whole, with its citation.")


@device_app.command("show")
def show_device(
    name: _NAME,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print all numbers of a preset with unit, meaning, bounds and source, and its equations."""
    from spicesnn.fit.device_file import load_device

    loaded = load_device(name)
    device = loaded.device
    rows = _numbers(device)
    equations = _equations(device)
    if as_json:
        found = {
            "name": device.name, "kind": device.kind, "form": _form(device),
            "citation": device.citation, "claim": device.claim, "parameters": rows,
            "equations": equations, "valid": {n: list(ends) for n, ends in loaded.valid.items()},
        }  # fmt: skip
        typer.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    typer.echo(f"{device.name}: {device.kind} ({_form(device)})")
    typer.echo(f"citation: {device.citation}\nclaim: {device.claim}")
    table = Table()
    table.add_column("parameter", no_wrap=True)
    for title in ("value", "unit", "meaning", "bounds", "value from"):
        table.add_column(title)
    for row in rows:
        table.add_row(
            row["name"], f"{row['value']:.6g}", row["unit"], row["meaning"], row["bounds"],
            row["source"],
        )  # fmt: skip
    Console().print(table)
    for declared in dict.fromkeys(row["declared"] for row in rows if row["declared"]):
        names = ", ".join(row["name"] for row in rows if row["declared"] == declared)
        typer.echo(f"source of the parameters {names}: {declared}")
    for line in equations:
        typer.echo(line)
    for label, ends in loaded.valid.items():
        typer.echo(f"fitted over {label} from {ends[0]:.4g} to {ends[1]:.4g}")


@device_app.command("emit")
def emit_device(
    name: _NAME,
    form: Annotated[
        str,
        typer.Option(help="spice, verilog, wrapper (the subcircuit around the Verilog-A) or jax."),
    ] = "spice",
    out: Annotated[Path | None, typer.Option(help="File; by default the terminal.")] = None,
) -> None:
    """Print a device of equations: ngspice subcircuit, Verilog-A, its subcircuit, JAX source."""
    from spicesnn.devices.ode import Ode
    from spicesnn.fit.device_file import load_device

    if form not in _FORMS:
        raise UnknownNameError("form", form, _FORMS)
    device = load_device(name).device
    if not isinstance(device, Ode):
        raise ParameterError(
            f"{device.name} answers to pulses and has no equations to print: ngspice sees it as a "
            "resistor whose value is a knob, which the loop rewrites after each pulse."
        )
    text = _printed(device, form)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write {out}: {error.strerror}.") from None
    typer.echo(f"written: {out}")


@device_app.command("plot")
def plot_device(
    name: _NAME,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("runs/device"),
    by: Annotated[str, typer.Option(help="Who integrates the loop: scipy or ngspice.")] = "scipy",
    amplitude: Annotated[
        str | None, typer.Option(help="Volts of loop and pulses, by default found by search.")
    ] = None,
    pulses: Annotated[
        str | None,
        typer.Option(help="Volts of SET and RESET and width of pulses, as 1.8,-1.3,100n."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was drawn.")] = False,
) -> None:
    """Draw hysteresis loop, pulses, staircase and switching times, or the answer to pulses."""
    from spicesnn.fit.device_file import load_device
    from spicesnn.report.device import draw_device
    from spicesnn.units import parse_spice_number

    if by not in ("scipy", "ngspice"):
        raise UnknownNameError("integrator", by, ("scipy", "ngspice"))
    volts = None if amplitude is None else parse_spice_number(amplitude)
    drawn = draw_device(
        load_device(name).device, out, by="ngspice" if by == "ngspice" else "scipy",
        amplitude=volts, pulses=_pulses(pulses),
    )  # fmt: skip
    if as_json:
        found = {
            "pictures": {label: str(path) for label, path in drawn.paths.items()},
            "skipped": drawn.skipped, "failed": drawn.failed, "numbers": drawn.numbers,
        }  # fmt: skip
        typer.echo(json.dumps(found, indent=2))
    else:
        _print_drawn(drawn)
    if drawn.failed:
        raise typer.Exit(1)


def _print_drawn(drawn: Drawn) -> None:
    for label, path in drawn.paths.items():
        typer.echo(f"{label}: {path}")
    for label, reason in drawn.skipped.items():
        typer.echo(f"no {label}: {reason}")
    for label, reason in drawn.failed.items():
        typer.echo(f"{label} failed: {reason}", err=True)


def _pulses(text: str | None) -> Pulses | None:
    from spicesnn.report.device_drive import Pulses
    from spicesnn.units import parse_spice_number

    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 3:
        raise ParameterError(
            f"--pulses {text!r}: write volts of SET, volts of RESET (0 for none) and the width in "
            "seconds, as 1.8,-1.3,100n."
        )
    return Pulses(*(parse_spice_number(part.strip()) for part in parts))


@fit_app.command("device")
def fit_device_command(
    name: _NAME,
    data: Annotated[Path, typer.Option(help="CSV file of pulses or of a sweep.")],
    column: Annotated[list[str], typer.Option(help="A column's name, as conductance=G.")] = [],  # noqa: B006
    unit: Annotated[
        list[str],
        typer.Option(help="A column's unit, as conductance=uS; conductance=relative for none."),
    ] = [],  # noqa: B006
    free: Annotated[
        str, typer.Option(help="Numbers to fit to a sweep, as r_on,tau; by default a choice.")
    ] = "",
    levels: Annotated[
        int | None, typer.Option(help="Pulses from end to end; by default the longest staircase.")
    ] = None,
    starts: Annotated[int, typer.Option(help="How often to begin the fit of a sweep.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the further starts.")] = 0,
    preset: Annotated[str, typer.Option(help="Name of the fitted preset.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for preset, report and picture.")] = Path(
        "runs/fit"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the report.")] = False,
) -> None:
    """Fit a preset to measured pulses or a sweep; its file is taken where a name is."""
    from spicesnn.fit.device import fit_device
    from spicesnn.fit.device_data import read_device_data
    from spicesnn.fit.device_file import load_device
    from spicesnn.fit.device_result import check_name
    from spicesnn.report.device import draw_fit

    if preset:
        check_name(preset)
    base = load_device(name).device
    if levels is not None and levels < 2:
        raise ParameterError(f"--levels {levels}: give 2 or more.")
    numbers = tuple(part.strip() for part in free.split(",") if part.strip())
    found = fit_device(
        base, read_device_data(data, _columns(column, unit), base), free=numbers, name=preset,
        levels=levels, starts=starts, seed=seed,
    )  # fmt: skip
    paths = [out / f"{found.device.name}{end}" for end in (".json", "_fit.json", "_fit.png")]
    try:
        out.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(found.preset_text(), encoding="utf-8")
        paths[1].write_text(json.dumps(found.summary(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write into {out}: {error.strerror}.") from None
    draw_fit(found, paths[2])
    if as_json:
        typer.echo(json.dumps(found.summary(), indent=2))
        return
    _print_fit(found)
    typer.echo(f"written: {', '.join(str(path) for path in paths)}")


def _print_fit(found: DeviceFit) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("value", "", "uncertainty", "unit", title=f"{found.device.name}, {found.source}")
    for name, value in found.values.items():
        sigma = "not determined" if math.isinf(value.sigma) else f"{value.sigma:.2g}"
        table.add_row(name, f"{value.value:.5g}", sigma, value.unit)
    Console().print(table)
    table = Table("part of the data", "points", "rms residual", "mean")
    for name, part in found.regions.items():
        table.add_row(name, str(part.points), f"{part.rms:.3g}", f"{part.mean:+.2g}")
    Console().print(table)
    names, correlation = found.inner.names, found.correlation
    strong = [
        f"{a} and {b} {correlation[i, j]:+.2f}"
        for i, a in enumerate(names)
        for j, b in enumerate(names[:i])
        if abs(correlation[i, j]) > 0.9
    ]
    if strong:
        typer.echo(f"strongly correlated: {', '.join(strong)}")
    typer.echo(f"residuals are counted in {found.measure}; hash of the data: {found.digest}")
    for name, ends in found.valid.items():
        typer.echo(f"holds for {name} from {ends[0]:.4g} to {ends[1]:.4g}")
    for note in found.notes:
        typer.echo(f"note: {note}")


def _columns(column: list[str], unit: list[str]) -> Columns:
    from spicesnn.fit.curves import parse_unit
    from spicesnn.fit.device_data import COLUMNS, RELATIVE, UNITS, Columns

    names = dict(_pairs(column, "column", COLUMNS))
    scales, relative = {}, False
    for name, text in _pairs(unit, "unit", tuple(UNITS)):
        if name == "conductance" and text == RELATIVE:
            relative = True
        else:
            scales[name] = parse_unit(text, UNITS[name])
    return Columns(names, scales, relative)


def _pairs(texts: list[str], option: str, known: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, given, value = text.partition("=")
        if not given:
            raise ParameterError(
                f"--{option} {text!r}: write a column and its {option}, as conductance=..."
            )
        if name not in known:
            raise UnknownNameError("column", name, known)
        found.append((name, value))
    return found


def _form(device: Device) -> str:
    from spicesnn.devices.ode import Ode

    return "equations" if isinstance(device, Ode) else "answer to pulses"


def _printed(device: Ode, form: str) -> str:
    from spicesnn.circuits.device_forms import device_forms
    from spicesnn.devices.printers import jax

    if form == "jax":
        return jax.source(device)
    forms = device_forms(device)
    return {"spice": forms.subcircuit, "verilog": forms.verilog, "wrapper": forms.wrapper}[form]


def _numbers(device: Device) -> list[dict[str, Any]]:
    """Every parameter with its value, unit, meaning, bounds and source."""
    from spicesnn.devices.ode import Ode

    rows: list[dict[str, Any]] = []
    for name in device.numeric():
        field = type(device).model_fields[name]
        extra = field.json_schema_extra
        told = extra if isinstance(extra, dict) else {}
        bounds = {
            key: getattr(each, key)
            for each in field.metadata for key in ("gt", "ge", "lt", "le") if hasattr(each, key)
        }  # fmt: skip
        signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
        rows.append({
            "name": name, "value": getattr(device, name), "unit": str(told.get("unit", "1")),
            "meaning": (field.description or "").partition(" [")[0],
            "bounds": ", ".join(f"{signs[k]} {v:g}" for k, v in bounds.items()),
            "source": _source(device, name, field.default),
            "declared": str(told.get("source", "")),
        })  # fmt: skip
    if isinstance(device, Ode) and device.v_max is not None:
        rows.append({
            "name": "v_max", "value": device.v_max, "unit": "V",
            "meaning": "largest voltage that the numbers are good for", "bounds": "> 0",
            "source": "the preset's", "declared": "",
        })  # fmt: skip
    for name in ("set_pulse", "reset_pulse"):
        pulse = getattr(device, name, None)
        if pulse is not None:
            way = name.partition("_")[0].upper()
            for part, unit in (("voltage", "V"), ("width", "s")):
                rows.append({
                    "name": f"{name}.{part}", "value": getattr(pulse, part), "unit": unit,
                    "meaning": f"{part} of a {way} pulse", "bounds": "", "source": "the preset's",
                    "declared": "",
                })  # fmt: skip
    return rows


def _source(device: Device, name: str, default: Any) -> str:
    """Whose number it is."""
    return "the kind's default" if getattr(device, name) == default else "the preset's"


def _equations(device: Device) -> list[str]:
    """The equations as plain text; of an answer to pulses, its kind's description."""
    import inspect

    from spicesnn.devices.ode import Ode

    if not isinstance(device, Ode):
        return (inspect.getdoc(type(device)) or "").splitlines()
    found = device.equations()
    lines = [f"{symbol} = {value}" for symbol, value in found.named]
    lines.append(f"I = {found.current}")
    for state, rate in zip(device.states, found.rates, strict=True):
        low, high = device.bounds(state)
        lines.append(f"d{state.name}/dt = {rate}")
        lines.append(
            f"{state.name}: {state.doc}, {low:g} to {high:g} {state.unit}, from {state.start} = "
            f"{device.numbers[state.start]:g}"
        )
    lines.append("logistic(z) = 1/(1 + exp(-z)), softplus(z) = ln(1 + exp(z))")
    return lines
