"""docs/validation.md, written from what was measured."""

from collections.abc import Iterator, Sequence

from tiering.validation import abench, pmbench
from tiering.validation.check import Check

HEAD = """# Validation

What the model says where measurements were published, written by `make validate`. Published
figures are printed in their sources, or derived from them by arithmetic; ours are means over
{seeds} seeds, with the distance of the seed that is farthest off. Nothing is tuned to hide a miss.

**Inputs.** Two constants of one machine profile (`scenarios/machines/epyc-cxl.toml`) are fitted to
two elapsed times, which are marked below: `latency_ns` of DRAM to kmmscand on 8 GB, and
`walk_memory_ns` to the base kernel on 32 GB. `python -m tiering validate --fit` finds them. All
else that the runs use (costs of scanning, marking, faults and migration) are the defaults that
docs/model.md gives with their sources. A third constant was chosen with these tables in sight: of
four published devices the profile has the slowest (`latency_ns` of CXL, 410), as the 8 GB rows ask
for a slow one. No other row was used for any of them.
"""


def document(runs: abench.Runs, steps: pmbench.Steps, seeds: int) -> str:
    """The whole report as Markdown."""
    told = [*abench.checks(runs), *pmbench.checks(steps)]
    passed = sum(check.passed for check in told)
    parts = [
        HEAD.format(seeds=seeds),
        f"{passed} of {len(told)} checks pass.\n",
        "## kmmscand V0 on abench\n",
        (abench.__doc__ or "").split("\n\n", 1)[1],
        "\n".join(_elapsed(runs)),
        "\n".join(_overheads(runs)),
        _table(list(abench.checks(runs))),
        "## NUMA balancing on pmbench\n",
        (pmbench.__doc__ or "").split("\n\n", 1)[1]
        + "The scenario is `pmbench-gaussian` on the assumed machine `xeon-pmem`; the second half\n"
        "of each run counts.\n",
        "\n".join(_steps(steps)),
        _table(list(pmbench.checks(steps))),
        _misses(told),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _elapsed(runs: abench.Runs) -> Iterator[str]:
    yield "| elapsed, s | published | ours | |"
    yield "|---|---|---|---|"
    for (kernel, size), published in abench.ELAPSED.items():
        fixed = abench.INPUTS.get((kernel, size))
        mark = f"input: fixes `{fixed}`" if fixed else ""
        ours = _spread([run.elapsed for run in runs[kernel, size]], 2)
        yield f"| {size} GB, {kernel} | {published} | {ours} | {mark} |"


def _overheads(runs: abench.Runs) -> Iterator[str]:
    yield "| overhead, s | published | ours | ours / published |"
    yield "|---|---|---|---|"
    for size in abench.SIZES:
        for name, published, kernel, field in (
            ("kmmscand: scan", abench.SCAN, "patched", 1),
            ("kmmscand: migration", abench.MIGRATION, "patched", 2),
            ("base: marking PTEs, of all tasks", abench.MARKING, "base", 1),
            ("base: hint faults and migration, of all tasks", abench.FAULTS, "base", 2),
        ):
            values = [run[field] for run in runs[kernel, size]]
            ratio = sum(values) / len(values) / published[size]
            yield (
                f"| {size} GB, {name} | {published[size]} | {_spread(values, 2)} | {ratio:.2f} |"
            )


def _steps(steps: pmbench.Steps) -> Iterator[str]:
    yield "| step | M accesses/s | ours | MB/s promoted | ours |"
    yield "|---|---|---|---|---|"
    for name, (score, promoted) in pmbench.PUBLISHED.items():
        ours = [_spread([step[field] for step in steps[name]], 1) for field in (0, 1)]
        yield f"| {name} | {score} | {ours[0]} | {promoted or '-'} | {ours[1]} |"


def _table(told: Sequence[Check]) -> str:
    lines = ["| check | published | tolerance | ours | |", "|---|---|---|---|---|"]
    for one in told:
        verdict = "pass" if one.passed else "**miss**"
        ours = _spread(one.values, 3)
        lines.append(f"| {one.name} | {one.published} | {one.tolerance} | {ours} | {verdict} |")
    return "\n".join(lines)


def _misses(told: Sequence[Check]) -> str:
    missed = [one for one in told if not one.passed]
    if not missed:
        return ""
    lines = ["## Misses and their likely causes\n"]
    lines += [f"- *{one.name}*: {one.why or 'no cause is known'}." for one in missed]
    return "\n".join(lines)


def _spread(values: Sequence[float], digits: int) -> str:
    mean = sum(values) / len(values)
    far = max(abs(value - mean) for value in values)
    return f"{mean:.{digits}f} ± {far:.{digits}f}"
