"""Get ngspice for a fresh machine. Standard library only: it runs before `.venv` exists.

Finds what is there; else takes the newest that the machine's own package sources offer, backports
included. Those sources are never edited: a private list, derived from their base entries, and
private state serve apt. As root the packages are installed; otherwise, and with `--version`, they
and the libraries they miss are unpacked under the user's cache, side by side.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from spicesnn.engine.installation import (
    MINIMUM_VERSION,
    Installation,
    cache_folder,
    find_all,
    unpacked_root,
)
from spicesnn.errors import NgspiceNotFoundError

PACKAGES = ("ngspice", "libngspice0")
OTHER_SYSTEMS = {
    "Darwin": "brew install ngspice libngspice",
    "Windows": "use WSL (wsl --install) and run make there",
}
OTHER_LINUX = "conda install -c conda-forge ngspice ngspice-lib, or your system's packages"


class SetUpError(Exception):
    """ngspice cannot be had in this way; the text says why."""


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--version", type=int, help="this major version, side by side")
    parser.add_argument("--unpack", action="store_true", help="never install, even as root")
    arguments = parser.parse_args()
    try:
        found = list(find_all())
    except NgspiceNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.version:
        good = [i for i in found if i.version == arguments.version]
    else:
        good = found if _tried().exists() or os.environ.get("SPICESNN_NGSPICE") else []
    if good:
        return _report(max(good, key=lambda i: i.version))
    try:
        _get(arguments.version, arguments.unpack, found)
    except SetUpError as error:
        if arguments.version or not found:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(f"note: no newer ngspice to be had: {error}", file=sys.stderr)
        return _report(max(found, key=lambda i: i.version))
    find_all.cache_clear()
    good = [i for i in find_all() if arguments.version in (None, i.version)]
    if not good:
        print("error: ngspice was got but does not run; see `ngspice --version`.", file=sys.stderr)
        return 1
    if not arguments.version:
        _tried().parent.mkdir(parents=True, exist_ok=True)
        _tried().touch()
    return _report(max(good, key=lambda i: i.version))


def _tried() -> Path:
    return cache_folder() / "ngspice" / "newest-was-tried"


def _report(installation: Installation) -> int:
    print(f"{installation.version_text}: {installation.program}, {installation.library}")
    return 0


def _get(major: int | None, unpack: bool, found: list[Installation]) -> None:
    """Install or unpack the newest on offer (or the newest of one major version)."""
    if not shutil.which("apt-get"):
        system = platform.system()
        raise SetUpError(f"on this system: {OTHER_SYSTEMS.get(system, OTHER_LINUX)}")
    apt = PrivateApt()
    version = newest([v for v in apt.versions("ngspice") if major in (None, major_of(v))])
    if version is None or major_of(version) < MINIMUM_VERSION:
        raise SetUpError(
            f"this machine's package sources offer no ngspice {major or MINIMUM_VERSION}; "
            f"{OTHER_LINUX}"
        )
    if any(i.version >= major_of(version) for i in found) and not major:
        return
    print(f"getting ngspice {version} ...")
    if os.geteuid() == 0 and not unpack and not major:
        apt.install(version)
    else:
        apt.unpack(version, unpacked_root(major_of(version)))


class PrivateApt:
    """apt-get with a private source list, lists and cache; the machine's own stay as they are."""

    def __init__(self) -> None:
        """Derive the sources and fetch their lists."""
        self.folder = cache_folder() / "apt"
        for part in ("sources", "lists/partial", "cache/archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        codename = _codename()
        entries = _machine_entries()
        backports = derive_backports(entries, codename)
        self._write([*entries, *backports])
        # One source may fail (another vendor's has no backports); the others' lists are kept.
        update = self._run("update", check=False)
        if update.returncode and not self.versions("ngspice"):
            last = update.stderr.strip().splitlines()[-1:] or ["apt-get update failed"]
            raise SetUpError(_without_hosts(last[0]))

    def versions(self, package: str) -> list[str]:
        """Versions on offer."""
        text = self._run("madison", package, program="apt-cache", check=False).stdout
        return [line.split("|")[1].strip() for line in text.splitlines() if line.count("|") == 2]

    def install(self, version: str) -> None:
        """Install both packages at this version, as root."""
        wanted = [f"{name}={version}" for name in PACKAGES]
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        # Packages of backports may need libraries of backports.
        backports = ["-t", f"{_codename()}-backports"] if "bpo" in version else []
        self._run("install", *options, *backports, *wanted, environment=environment)

    def unpack(self, version: str, root: Path) -> None:
        """Unpack both packages and the libraries they miss; `root` appears whole or not at all."""
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix="part-") as folder:
            place = Path(folder) / "root"
            self._fetch([f"{name}={version}" for name in PACKAGES], place)
            tried: set[str] = set()
            while missing := {self._owner(name) for name in _missing(place)} - tried:
                tried |= missing
                self._fetch(sorted(missing), place)
            left = _missing(place)
            if left:
                raise SetUpError(f"libraries not found in any package: {', '.join(sorted(left))}")
            if root.exists():
                shutil.rmtree(root)
            place.rename(root)

    def _fetch(self, packages: list[str], place: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self._run("download", *packages, folder=Path(folder))
            for archive in Path(folder).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", str(archive), str(place)], check=True)

    def _owner(self, library: str) -> str:
        """The package that a library comes from, by Debian's naming rule (libXaw.so.7: libxaw7)."""
        match = re.fullmatch(r"(.+?)\.so\.?([\d.]*)", library)
        if not match:
            raise SetUpError(f"no package is known for {library}")
        stem, number = match.group(1).lower(), match.group(2)
        dash = "-" if stem[-1:].isdigit() else ""
        names = [f"{stem}{dash}{number}{suffix}" for suffix in ("", "t64")]
        for name in (*names, stem):
            if self.versions(name):
                return name
        raise SetUpError(f"no package is known for {library}")

    def _write(self, entries: list[str]) -> None:
        (self.folder / "sources" / "all.sources").write_text("\n\n".join(entries) + "\n")

    def _run(
        self,
        verb: str,
        *arguments: str,
        program: str = "apt-get",
        check: bool = True,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        settings = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "sources",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        }
        options = [text for key, value in settings.items() for text in ("-o", f"{key}={value}")]
        done = subprocess.run(
            [program, *options, verb, *arguments],
            capture_output=True, text=True, check=False, cwd=folder,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        if check and done.returncode:
            raise SetUpError(_without_hosts(f"{program} {verb} failed: {done.stderr.strip()}"))
        return done


def derive_backports(entries: list[str], codename: str) -> list[str]:
    """The base entries again, with their suite's name changed to backports."""
    derived = []
    for entry in entries:
        suites = re.search(r"^Suites:(.*)$", entry, re.M)
        if suites and codename in suites.group(1).split():
            derived.append(
                re.sub(r"^Suites:.*$", f"Suites: {codename}-backports", entry, flags=re.M)
            )
    return derived


def to_deb822(line: str) -> str | None:
    """A one-line source entry as a deb822 paragraph; None for comments and source packages."""
    match = re.fullmatch(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line.strip())
    if not match:
        return None
    options, uri, suite, components = match.groups()
    lines = ["Types: deb", f"URIs: {uri}", f"Suites: {suite}"]
    if components.strip():
        lines.append(f"Components: {components.strip()}")
    names = {"signed-by": "Signed-By", "arch": "Architectures", "trusted": "Trusted"}
    for option in (options or "").split():
        key, _, value = option.partition("=")
        if key in names:
            lines.append(f"{names[key]}: {value.replace(',', ' ')}")
    return "\n".join(lines)


def newest(versions: list[str]) -> str | None:
    """The newest of Debian version strings, by dpkg's order."""
    best: str | None = None
    for version in versions:
        later = ["dpkg", "--compare-versions", version, "gt", best or "0"]
        if best is None or subprocess.run(later, check=False).returncode == 0:
            best = version
    return best


def major_of(version: str) -> int:
    """Major version of a Debian version string such as `39.3+ds-1`."""
    match = re.match(r"(?:\d+:)?(\d+)", version)
    return int(match.group(1)) if match else 0


def _machine_entries() -> list[str]:
    """The machine's own entries, as deb822 paragraphs."""
    base = Path("/etc/apt")
    entries: list[str] = []
    for path in [base / "sources.list", *sorted((base / "sources.list.d").glob("*.list"))]:
        if path.exists():
            found = (to_deb822(line) for line in path.read_text().splitlines())
            entries += [entry for entry in found if entry]
    for path in sorted((base / "sources.list.d").glob("*.sources")):
        for paragraph in re.split(r"\n\s*\n", path.read_text()):
            lines = [x for x in paragraph.splitlines() if x.strip() and not x.startswith("#")]
            if any(x.startswith("URIs:") for x in lines) and "Enabled: no" not in lines:
                entries.append("\n".join(lines))
    return entries


def _codename() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    return ""


def _missing(root: Path) -> set[str]:
    """Libraries that the unpacked ngspice needs and nobody has."""
    folders = ":".join(str(path) for path in root.glob("usr/lib/*") if path.is_dir())
    targets = [root / "usr/bin/ngspice", *root.glob("usr/lib/*/libngspice.so.0")]
    missing: set[str] = set()
    for target in targets:
        text = subprocess.run(
            ["ldd", str(target)], capture_output=True, text=True, check=False,
            env={**os.environ, "LD_LIBRARY_PATH": folders},
        ).stdout  # fmt: skip
        missing |= set(re.findall(r"^\s*(\S+) => not found", text, re.M))
    return missing


def _without_hosts(text: str) -> str:
    return re.sub(r"\w+://\S+", "(address)", text)


if __name__ == "__main__":
    sys.exit(main())
