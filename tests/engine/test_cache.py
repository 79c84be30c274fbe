import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint, Transient, Value, Waveform
from spicesnn.engine.cache import RunCache
from spicesnn.engine.installation import find_installation
from spicesnn.engine.messages import Message, MessageClass
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.errors import CacheError
from spicesnn.waveforms import Waveforms


def a_run(points: int = 5) -> Run:
    time = np.linspace(0, 1, points)
    waves = Waveforms(time, {"v(a)": time**2})
    said = (Message(MessageClass.IGNORED_PARAMETER, "unrecognized parameter (iss) - ignored"),)
    return Run(
        Verdict.CONVERGED, "", waves, 46, SimulationOptions(method="gear"), True, said, 1.0, 2.5,
        900, 3, 10**8, ("gear",),
    )  # fmt: skip


def test_it_keeps_what_a_run_said_but_not_what_it_cost(tmp_path: Path) -> None:
    cache, run = RunCache(tmp_path), a_run()
    cache.put("ab12", run)
    kept = cache.get("ab12")
    assert kept is not None
    np.testing.assert_array_equal(kept.waveforms["v(a)"], run.waveforms["v(a)"])
    for name in ("verdict", "ngspice", "options", "klu", "messages", "reached", "ladder"):
        assert getattr(kept, name) == getattr(run, name)
    assert kept.from_cache
    assert (kept.analysis_seconds, kept.iterations, kept.peak_memory) == (0, 0, 0)


def test_damage_counts_as_missing(tmp_path: Path) -> None:
    cache = RunCache(tmp_path)
    cache.put("ab12", a_run())
    assert cache.get("ab13") is None
    next(tmp_path.rglob("*.npz")).write_bytes(b"half a file")
    assert cache.get("ab12") is None


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = RunCache(tmp_path)
    for k in range(6):
        cache.put(f"aa{k}", a_run(100))
        path = tmp_path / "aa" / f"aa{k}.npz"
        os.utime(path, (1000 + k, 1000 + k))
    assert cache.get("aa0") is not None  # used again
    size = cache.info().bytes // 6
    RunCache(tmp_path, limit=3 * size).trim()
    left = {p.stem for p in tmp_path.rglob("*.npz")}
    assert left == {"aa0", "aa4", "aa5"}
    assert cache.clear().files == 3
    assert cache.info().files == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_a_clear_error(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept before stays, and no half file is left."""
    cache = RunCache(tmp_path)
    cache.put("ab1", a_run())

    def full(*arguments: object, **more: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(CacheError, match=r"cannot write into the cache .*spicesnn cache clear"):
        cache.put("ab2", a_run())
    assert cache.get("ab1") is not None
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["ab1.npz"]


def test_a_part_that_was_abandoned_goes_too(tmp_path: Path) -> None:
    cache = RunCache(tmp_path)
    cache.put("ab1", a_run())
    old, new = tmp_path / "ab" / "old.part", tmp_path / "ab" / "new.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    cache.clear()
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["new.part"]


def test_the_bound_holds_for_a_process_that_writes_once(tmp_path: Path) -> None:
    for k in range(4):
        RunCache(tmp_path, limit=10).put(f"ab{k}", a_run())
    assert RunCache(tmp_path).info().files <= 1


def test_a_changed_include_is_another_deck(tmp_path: Path) -> None:
    """Wherever it stands: behind a blank in the path, `.incl`, or inside another include."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "outer.inc").write_text("* nothing\n  .include inner.inc\n.incl outer.inc\n")
    deck = Deck("t", "", f'.incl "{folder / "outer.inc"}"', {}, ("v(a)",), OperatingPoint())
    keys = []
    for value in ("1k", "2k"):
        (folder / "inner.inc").write_text(f"r1 a 0 {value}\n")
        os.utime(folder / "inner.inc", ns=(1, int(value[0])))
        keys.append(RunCache().key(deck, {}, SimulationOptions(), find_installation()))
    assert keys[0] != keys[1]


def test_processes_share_a_cache(tmp_path: Path) -> None:
    """Four write and read the same keys at once: every answer is whole."""
    code = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from spicesnn.engine.cache import RunCache\nfrom spicesnn.engine.run import Run\n"
        "from spicesnn.engine.verdict import Verdict\nfrom spicesnn.waveforms import Waveforms\n"
        "cache = RunCache(Path(sys.argv[1]), limit=200_000)\ntime = np.arange(2000.0)\n"
        "for turn in range(60):\n"
        "    key = f'aa{turn % 7}'\n"
        "    kept = cache.get(key)\n"
        "    if kept is not None:\n"
        "        assert (kept.waveforms['v(a)'] == time).all()\n"
        "    cache.put(key, Run(Verdict.CONVERGED, '', Waveforms(time, {'v(a)': time})))\n"
        "    if turn % 20 == 0:\n"
        "        cache.trim()\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(timeout=120) for process in running] == [0] * 4


def test_a_key_tells_apart_what_the_text_of_a_deck_does_not() -> None:
    ngspice = find_installation()
    knobs = {
        "vin": Knob("vin", ("a", "0"), Waveform.constant(1.0)),
        "rtop": Knob("rtop", ("a", "b"), 1e3),
    }
    deck = Deck("divider", "r2 b 0 1e3", "", knobs, ("v(b)",), Transient(1e-3, 1e-5))
    options = SimulationOptions()
    settings: list[dict[str, Value]] = [
        {}, {"rtop": 1e3 * (1 + 1e-9)}, {"vin": 1.0}, {"vin": Waveform.constant(1 + 1e-12)},
        {"@m1[delvto]": 1e-3}, {"temperature": 27 + 1e-9}, {"stop": 2e-3},
    ]  # fmt: skip
    keys = [RunCache().key(deck, knobs, options, ngspice) for knobs in settings]
    keys.append(RunCache().key(deck, {}, options, ngspice, "batch"))
    assert len(set(keys)) == len(keys)
    assert keys[0] == RunCache().key(deck, {"rtop": 1e3}, options, ngspice)
