"""What a figure is, measured on the practice servers of this machine in the same run."""

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured figure; `floor` is what physics allows, `peers` what others need.

    `target` is what we want at most, or `at_least`: a share or ratio that is to be high.
    """

    name: str
    unit: str
    ours: float
    target: float
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.ours >= self.target if self.at_least else self.ours <= self.target

    def as_dict(self) -> dict[str, object]:
        """The figure as `make bench ARGS=--json` prints it."""
        shown = asdict(self)
        del shown["at_least"]
        return {**shown, "met": self.met}


@dataclass(frozen=True)
class LeftOut:
    """A figure, or a peer of one, that this machine can't measure, and why."""

    name: str
    why: str
