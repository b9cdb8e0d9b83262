"""What a figure is, measured on the practice servers of this machine in the same run."""

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Measured:
    """Something measured. `target` is what we want at most, or `at_least`: then it is to be high.

    Without a target a number is only to be seen.
    """

    name: str
    unit: str
    ours: float
    target: float | None

    at_least = False

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.ours >= self.target if self.at_least else self.ours <= self.target

    def as_dict(self) -> dict[str, object]:
        """As `make bench ARGS=--json` prints it."""
        shown = asdict(self)
        del shown["at_least"]
        return {**shown, "met": self.met}


@dataclass(frozen=True)
class Figure(Measured):
    """One of the figures that are promised; `floor` is what physics allows, `peers` what others
    need.
    """

    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    at_least: bool = False


@dataclass(frozen=True)
class Load(Measured):
    """What a workload, W1 to W9, showed of the tool, beside the figures."""

    workload: str
    peers: dict[str, float] = field(default_factory=dict)
    at_least: bool = False

    def as_dict(self) -> dict[str, object]:
        return {"workload": self.workload, **super().as_dict()}


@dataclass(frozen=True)
class LeftOut:
    """A figure, or a peer of one, that this machine can't measure, and why."""

    name: str
    why: str
