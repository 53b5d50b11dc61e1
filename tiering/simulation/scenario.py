"""A scenario: what a TOML file says, validated strictly and never changed afterwards."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from tiering.model.classes import DEFAULT, PolicyClass
from tiering.model.knobs import KnobSpec, knob_specs
from tiering.simulation.expect import Expect
from tiering.simulation.notes import notes
from tiering.simulation.presets import PRESETS
from tiering.simulation.rooms import SECTIONS, RoomFields, Rooms, sections
from tiering.workloads.table import PATTERNS

FOLIOS_PER_MIB = 256
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$",
        description="a name of 1 .. 40 letters, digits or _.- that begins with a letter or digit",
    ),
]

if TYPE_CHECKING:
    from tiering.demotion.kswapd import Reclaim
    from tiering.migration.queue import Migration
    from tiering.model.machine import Machine
    from tiering.sources.pte_knobs import PteScan

    PresetName = str
    PatternName = str
else:  # the names in the tables are the names that a file may use
    PresetName = Literal[tuple(PRESETS)]
    PatternName = Literal[tuple(n for n, p in PATTERNS.items() if not p.from_recording)]


def _refuse_list(value: Any) -> Any:
    """pydantic would take a list for the knobs of a section in their order."""
    if isinstance(value, list):
        raise ValueError("should be a table")
    return value


_TABLE = BeforeValidator(_refuse_list)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Node(_Strict):
    """A memory node. Bandwidth in decimal GB/s, as vendors give it.

    curve_a, curve_b: of its latency under load; default are those of the machine.
    """

    name: Name
    tier: int = Field(ge=0, le=15)
    capacity_mib: int = Field(ge=1, le=64 * 1024 * 1024)
    latency_ns: float = Field(ge=1, le=100_000)
    read_gb_s: float = Field(ge=0.01, le=100_000)
    write_gb_s: float = Field(ge=0.01, le=100_000)
    cpus: int = Field(default=0, ge=0, le=4096)
    curve_a: Annotated[float, Field(ge=1e-6, le=100)] | None = None
    curve_b: Annotated[int, Field(ge=1, le=8)] | None = None
    nid: int = Field(default=-1, exclude=True)  # set by the loader, not by the file


class VmaFields(_Strict):
    """A VMA, or several of split_mib each; the knobs of its pattern are a table of its name.

    Where no share_pct is given, VMAs get accesses in proportion to their size. order: of its folios
    (4 KiB x 2**order). kind: "page_cache" is read() and mapped by nobody. pinned_pct, shared_pct:
    part of the folios with extra references, and mapped by another mm too. populated_pct: part of
    its address space that is populated, the first pages of every 2 MiB; size_mib is without holes.
    """

    name: Name = "heap"
    size_mib: float = Field(gt=0, le=64 * 1024 * 1024)
    split_mib: float = Field(default=0, ge=0, le=64 * 1024 * 1024)
    node: Name | Literal["first_touch"] = "first_touch"
    share_pct: float = Field(default=0, ge=0, le=100)
    order: Literal[0, 4, 9] = 0
    kind: Literal["anon", "page_cache"] = "anon"
    pinned_pct: float = Field(default=0, ge=0, le=100)
    shared_pct: float = Field(default=0, ge=0, le=100)
    populated_pct: float = Field(default=100, gt=0, le=100)
    pattern: PatternName = "uniform"


def _pattern_fields(recorded: bool) -> dict[str, Any]:
    chosen = {n: p for n, p in PATTERNS.items() if p.from_recording == recorded}
    return {n: (Annotated[p.knobs | None, _TABLE], None) for n, p in chosen.items()}


if TYPE_CHECKING:
    Vma = VmaFields
else:
    Vma = create_model("Vma", __base__=VmaFields, **_pattern_fields(recorded=False))


class ProcessFields(_Strict):
    """A process, or `count` alike; either VMAs or the memory of a recording.

    work_accesses: fixed work after which it ends, 0 = endless (a recording: `repeat` laps).
    start_s: when it begins. lifetime_s: when it exits and frees its memory, 0 = never. every_s:
    it begins again so long after it began, as short-lived processes do; 0 = once. home_node: whose
    CPUs it runs on, so where its first touches allocate; default the first top-tier node.
    scan_scale: what it sets by prctl, 0 .. 10; default that of its class, else of pte_scan. class:
    a standard one, or one of the scenario's own.
    """

    name: Name
    count: int = Field(default=1, ge=1, le=100_000)
    threads: int = Field(ge=1, le=100_000)
    mlp: float = Field(default=1.0, ge=0.01, le=1000)
    think_ns: float = Field(default=0.0, ge=0, le=1e12)
    write_pct: float = Field(default=0.0, ge=0, le=100)
    work_accesses: float = Field(default=0.0, ge=0, le=1e18)
    recording: str | None = None
    damon_recording: Any = None  # its knobs; typed by the table below
    repeat: int = Field(default=1, ge=0, le=1_000_000)
    start_s: float = Field(default=0.0, ge=0, le=1_000_000)
    lifetime_s: float = Field(default=0.0, ge=0, le=1_000_000)
    every_s: float = Field(default=0.0, ge=0, le=1_000_000)
    home_node: Name | None = None
    scan_scale: int | None = Field(default=None, ge=0, le=10)
    node: Name | Literal["first_touch"] = "first_touch"
    vmas: list[Vma] = Field(default=[])

    @property
    def policy(self) -> str:
        """Name of its class."""
        return str(getattr(self, "class"))


if TYPE_CHECKING:
    Process = ProcessFields
else:
    Process = create_model(
        "Process", __base__=ProcessFields, **{"class": (Name, DEFAULT)},
        **_pattern_fields(recorded=True),
    )  # fmt: skip


class PolicyFile(_Strict):
    """The promotion rule of the user's own, a Python file: in the scenario's folder or below it, or
    one of `policies/`."""

    file: str = Field(min_length=1, max_length=200)


class ScenarioFields(_Strict):
    """Everything a run depends on besides seed and control log."""

    title: str = Field(min_length=1, max_length=200)
    question: str = Field(min_length=1, max_length=400)
    topic: str = Field(min_length=1, max_length=80)
    preset: PresetName
    until_s: float = Field(gt=0, le=1_000_000)
    sample_ms: int = Field(default=100, ge=10, le=100_000, multiple_of=10)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    profile: Name | None = None  # its nodes and constants are filled in by the loader
    nodes: list[Node] = Field(min_length=1, max_length=16)
    processes: list[Process] = Field(min_length=1)
    rooms: Annotated[RoomFields, _TABLE] = RoomFields()
    user_policy: Annotated[PolicyFile | None, _TABLE] = None
    expect: Annotated[Expect, _TABLE] | None = None
    classes: dict[Name, Annotated[PolicyClass, _TABLE]] = Field(default={})
    if TYPE_CHECKING:  # knob sections; those of most mechanisms are Any to the type checker
        machine: Machine = Machine()
        pte_scan: PteScan = PteScan()
        migration: Migration = Migration()
        reclaim: Reclaim = Reclaim()

        def __getattr__(self, name: str) -> Any: ...

    # set by the loader, not by the file
    policy_text: str = Field(default="", exclude=True)
    name: str = Field(default="", exclude=True)
    origin: str = Field(default="", exclude=True)  # the file as the user named it, for messages
    text: str = Field(default="", exclude=True)
    folder: str = Field(default="", exclude=True)
    overrides: dict[str, Any] = Field(default={}, exclude=True)

    @property
    def joined(self) -> Rooms:
        """What the run joins: the rooms of the preset with those of the file instead."""
        return self.rooms.over(PRESETS[self.preset].rooms)

    @property
    def demotes(self) -> bool:
        """True if somebody may demote."""
        return self.reclaim.demotion_enabled or bool({*self.joined.demotion} - {"kswapd"})

    @property
    def policy_file(self) -> str:
        """The user's policy as the scenario names it; "" where there is none."""
        return self.user_policy.file if self.user_policy else ""

    def sections(self) -> dict[str, NamedTuple]:
        """Knob sections of the mechanisms in use."""
        names = ["machine", *sections(self.joined)]
        return {name: getattr(self, name) for name in names}

    def knob_specs(self) -> dict[str, KnobSpec]:
        """Declarations of all knobs in use by path, e.g. `pte_scan.scan_period_ms`."""
        return {
            spec.path: spec
            for name in self.sections()
            for spec in knob_specs(name, SECTIONS[name]).values()
        }

    def knob_values(self) -> dict[str, Any]:
        """Values of all knobs in use by path."""
        return {
            f"{name}.{key}": value
            for name, section in self.sections().items()
            for key, value in section._asdict().items()
        }

    def knob_notes(self) -> dict[str, str]:
        """Sentences shown beside knobs that have no effect in this scenario."""
        found = notes(self)
        return {path: found[path] for path in self.knob_specs() if path in found}

    def all_processes(self) -> list[tuple[Process, str]]:
        """Every process with its name, replicas one by one."""
        return [
            (process, f"{process.name}-{i}" if process.count > 1 else process.name)
            for process in self.processes
            for i in range(process.count)
        ]

    def home_nid(self, process: Process) -> int:
        """Node on whose CPUs the process runs: as stated, else the first top-tier node."""
        if process.home_node is not None:
            return next(node.nid for node in self.nodes if node.name == process.home_node)
        return min(self.nodes, key=lambda node: (node.tier, node.nid)).nid

    def allowed_nids(self, process: Process, node: str) -> tuple[int, ...]:
        """Nodes for memory of the process bound to `node` or first touched, in order of trial."""
        if node != "first_touch":
            return tuple(one.nid for one in self.nodes if one.name == node)
        home = self.home_nid(process)
        near = sorted(self.nodes, key=lambda n: (n.nid != home, n.tier, abs(n.nid - home)))
        return tuple(one.nid for one in near)

    @property
    def nr_processes(self) -> int:
        """Processes, replicas counted."""
        return sum(process.count for process in self.processes)


if TYPE_CHECKING:
    Scenario = ScenarioFields
else:
    Scenario = create_model(
        "Scenario", __base__=ScenarioFields,
        **{name: (Annotated[knobs, _TABLE], knobs()) for name, knobs in SECTIONS.items()},
    )  # fmt: skip
