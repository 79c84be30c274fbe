"""Progress bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spicesnn.systems.iris import Watcher


class ProgressView:
    """A progress bar with accuracy, writes and time left, on standard error."""

    def __init__(self, rule: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(rule, total=None, note="input traces")

    def __enter__(self) -> ProgressView:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def watcher(self) -> Watcher:
        """What a training run calls as it goes."""
        from spicesnn.learning.loop import Progress
        from spicesnn.learning.rules import RuleName
        from spicesnn.systems.iris import Watcher

        bar, task = self._bar, self._task

        def begin(rule: RuleName, seed: int, simulations: int) -> None:
            text = f"{rule} seed {seed}"
            bar.reset(task, description=text, total=simulations, note="input traces")

        def progress(p: Progress) -> None:
            held_out = "-" if p.test_accuracy is None else f"{p.test_accuracy:.2f}"
            note = (
                f"epoch {p.epoch + 1} batch {p.batch}/{p.batches}  train {p.train_accuracy:.2f}  "
                f"held-out {held_out}  writes {p.writes}"
            )
            bar.update(task, note=note)

        return Watcher(begin, progress, lambda: bar.advance(task))


class Bars:
    """A progress bar that is begun anew for each of several pieces of work."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True))

    def __enter__(self) -> Bars:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, text: str, total: int) -> Callable[[], None]:
        """A new bar; what is called after each finished step."""
        task = self._bar.add_task(text, total=total)
        return lambda: self._bar.advance(task)


@contextmanager
def simple_bar(text: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar of so many steps; gives what is called after each."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=total < 2) as bar:
        task = bar.add_task(text, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def endless_bar(text: str) -> Iterator[Callable[[], None]]:
    """A count of steps whose number is not known before; gives what is called after each."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(text, total=None)
        yield lambda: bar.advance(task)
