"""Waveforms kept by content, in a folder that several processes may share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from spicesnn.waveforms import Waveforms


def default_cache_folder() -> Path:
    """The user's cache folder for waveforms."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spicesnn" / "waveforms"


class WaveformCache:
    """Key to waveforms; a file appears whole or not at all."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use this folder, by default the user's; it is made when first written."""
        self.folder = folder or default_cache_folder()

    def get(self, key: str) -> Waveforms | None:
        """The waveforms of this key, or None where there are none or the file is damaged."""
        try:
            with np.load(self._path(key), allow_pickle=False) as data:
                signals = {name: data[name] for name in data.files if name != "time"}
                return Waveforms(data["time"], signals)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def put(self, key: str, waveforms: Waveforms) -> None:
        """Keep the waveforms under this key."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.savez(file, allow_pickle=False, time=waveforms.time, **dict(waveforms.signals))
        os.replace(file.name, path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"
