"""Runs kept by content, in a bounded folder that several processes may share."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from spicesnn.circuits.deck import Deck, Value, Waveform
from spicesnn.engine.installation import Installation, cache_folder
from spicesnn.engine.messages import Message, MessageClass
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import runs_compiled
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.vetting import included, logical_lines
from spicesnn.errors import CacheError
from spicesnn.waveforms import Waveforms

# The oldest files are looked for after this many writes of one process.
_TRIM_EVERY = 200
_ABANDONED = 3600.0  # seconds


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds: folder, files and bytes."""

    folder: Path
    files: int
    bytes: int
    limit: int


class RunCache:
    """Converged runs by the content of their deck, knobs, options and ngspice version.

    A file appears whole or not at all; one that is damaged counts as missing. What a run said and
    how it was solved is kept with its waveforms; what it cost is not.
    """

    def __init__(self, folder: Path | None = None, limit: int = 2_000_000_000) -> None:
        """Use this folder, by default the user's; it is made when first written.

        Args:
            folder: by default `runs` in the user's cache folder of the project.
            limit: bytes; the files that were used longest ago go first.
        """
        self.folder = folder or cache_folder() / "runs"
        self.limit = limit
        # Looked over at the first write: a command line makes few.
        self._writes = _TRIM_EVERY - 1

    def key(
        self,
        deck: Deck,
        knobs: Mapping[str, Value],
        options: SimulationOptions,
        installation: Installation,
        form: str = "library",
    ) -> str:
        """Hash of everything that decides the answer, and of the form that gave it."""
        settings = deck.settings(knobs)
        # The deck's text has six figures; the simulator gets the values themselves.
        parts = [form, installation.version_text, options.identity, deck.identity]
        parts += [repr(sorted(settings.devices.items())), repr(settings.temperature)]
        parts += [repr(dict(settings.parameters)), repr(settings.analysis)]
        parts += _included(deck.text(""))
        if deck.devices:
            klu = options.with_klu(deck, installation.klu)
            parts.append(f"devices compiled: {runs_compiled(deck, klu, installation)}")
        exact = sha256("\n".join(parts).encode())
        for name, value in settings.elements.items():
            if isinstance(value, Waveform):
                exact.update(name.encode() + value.time.tobytes() + value.value.tobytes())
            else:
                exact.update(f"{name} {value!r}\n".encode())
        return exact.hexdigest()

    def get(self, key: str) -> Run | None:
        """The run of this key, or None where there is none or the file is damaged."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as data:
                signals = {n: data[n] for n in data.files if n not in ("time", "about")}
                waveforms = Waveforms(data["time"], signals)
                about = json.loads(str(data["about"]))
            messages = tuple(Message(MessageClass[kind], text) for kind, text in about["messages"])
            options = SimulationOptions(**about["options"])
            version, klu, ladder = about["ngspice"], about["klu"], tuple(about["ladder"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        reached = float(waveforms.time[-1]) if waveforms.time.size else 0.0
        return Run(
            Verdict.CONVERGED, "", waveforms, version, options, klu, messages, reached,
            ladder=ladder, from_cache=True,
        )  # fmt: skip

    def put(self, key: str, run: Run) -> None:
        """Keep a run under this key.

        Raises:
            CacheError: the folder cannot be written.
        """
        path, wave = self._path(key), run.waveforms
        about = json.dumps(
            {
                "ngspice": run.ngspice,
                "options": run.options.model_dump(mode="json"),
                "klu": run.klu,
                "messages": [(m.kind.name, m.text) for m in run.messages],
                "ladder": run.ladder,
            }
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                try:
                    np.savez(
                        file, allow_pickle=False, time=wave.time, about=np.array(about),
                        **dict(wave.signals),
                    )  # fmt: skip
                except BaseException:
                    os.unlink(file.name)
                    raise
            os.replace(file.name, path)
        except OSError as error:
            raise CacheError(
                f"cannot write into the cache {self.folder}: {error.strerror or error}. Free some "
                "space (`spicesnn cache clear`) or set XDG_CACHE_HOME to another place; what was "
                "finished is kept."
            ) from None
        self._writes += 1
        if self._writes % _TRIM_EVERY == 0:
            self.trim()

    def info(self) -> CacheInfo:
        """How much it holds."""
        sizes = [entry.size for entry in self._entries()]
        return CacheInfo(self.folder, len(sizes), sum(sizes), self.limit)

    def trim(self) -> None:
        """Take away what was used longest ago, until the rest is under the limit."""
        entries = sorted(self._entries(), key=lambda e: e.used)
        total = sum(e.size for e in entries)
        for entry in entries:
            if total <= self.limit:
                return
            # Another process may have taken it.
            with contextlib.suppress(OSError):
                entry.path.unlink()
            total -= entry.size

    def clear(self) -> CacheInfo:
        """Take everything away; what there was."""
        before = self.info()
        for entry in self._entries():
            with contextlib.suppress(OSError):
                entry.path.unlink()
        return before

    def _entries(self) -> list[_Entry]:
        found = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                # A part that nobody has written to for so long was left by one who was killed.
                if path.suffix == ".npz" or status.st_mtime < time.time() - _ABANDONED:
                    found.append(_Entry(path, status.st_size, status.st_mtime))
        return found

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"


def _included(text: str) -> list[str]:
    """Names and hashes of the files that a deck includes, and of those that they include."""
    waiting = list(_includes(text, Path.cwd()))
    seen: dict[Path, str] = {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        try:
            status = path.stat()
            seen[path], inner = _hash_of_file(path, status.st_mtime_ns, status.st_size)
            waiting += inner
        except OSError:
            seen[path] = "missing"
    return [f"{path} {value}" for path, value in sorted(seen.items())]


@lru_cache(maxsize=256)
def _hash_of_file(path: Path, modified: int, size: int) -> tuple[str, tuple[Path, ...]]:
    body = path.read_bytes()
    text = body.decode("utf-8", "surrogateescape")
    return sha256(body).hexdigest(), _includes(text, path.parent)


def _includes(text: str, folder: Path) -> tuple[Path, ...]:
    if not re.search(r"^\s*\.(inc|lib)", text, re.I | re.M):
        return ()
    lines = logical_lines(text, title=False)
    names = (included(line.text) for line in lines if line.text.startswith("."))
    return tuple(folder / found[0] for found in names if found and found[0])


@dataclass(frozen=True)
class _Entry:
    path: Path
    size: int
    used: float
