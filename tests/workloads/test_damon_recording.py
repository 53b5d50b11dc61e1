from pathlib import Path

import numpy as np
import pytest

from tests.recordings.records import MIB, packed, record
from tiering.recordings.damo import RecordingError, read_recording
from tiering.recordings.resample import Heat, resample
from tiering.workloads.damon_recording import DamonRecording, build_recording
from tiering.workloads.pattern import Workload

SHIPPED = Path(__file__).parents[2] / "scenarios" / "recordings"
REDIS = SHIPPED / "redis-hot10.damo"


@pytest.fixture(scope="module")
def redis() -> Workload:
    return build_recording(REDIS, DamonRecording(skip_s=20.0))


@pytest.fixture(scope="module")
def heat() -> Heat:
    return resample(read_recording(REDIS), 2, 20.0)


def test_one_recorded_second_is_the_mean_volume_of_accesses(redis: Workload, heat: Heat) -> None:
    volume = redis.phase_accesses / heat.duration_s
    mean = (heat.touches_per_s() * heat.duration_s).sum() / heat.duration_s.sum()
    assert volume.tolist() == pytest.approx([16 * mean] * heat.duration_s.size, rel=1e-12)


def test_replay_touches_every_page_as_often_as_recorded(redis: Workload, heat: Heat) -> None:
    share = np.concatenate([region.share for region in redis.regions], axis=1)
    replayed = share * redis.phase_accesses[:, None]
    np.testing.assert_allclose(replayed, heat.rate * heat.duration_s[:, None], rtol=1e-9)


def test_all_accesses_together_make_one_touch_in_accesses_per_touch(redis: Workload) -> None:
    folios = 512  # of a 2 MiB cell
    touches = sum(
        float((region.share * redis.phase_accesses[:, None]).sum()) * folios
        for region in redis.regions
    )
    assert redis.phase_accesses.sum() / touches == pytest.approx(16.0)


def test_a_quiet_snapshot_has_fewer_touches_an_access(redis: Workload) -> None:
    by_phase = sum(region.share.sum(axis=1) for region in redis.regions)
    assert isinstance(by_phase, np.ndarray)
    assert by_phase.max() > 1.5 * by_phase.min() > 0


@pytest.mark.parametrize("cell_mib", [1, 2, 4, 8, 16, 32])
def test_each_folio_finds_the_row_of_its_cell(cell_mib: int, tmp_path: Path) -> None:
    path = tmp_path / "r.damo"
    path.write_bytes(packed(record()))
    knobs = DamonRecording(cell_mib=cell_mib)  # type: ignore[arg-type]
    (region,) = build_recording(path, knobs).regions
    heat = resample(read_recording(path), cell_mib)
    assert region.row_stride == 32 // cell_mib
    assert region.share.shape == heat.rate.shape
    assert region.nr_folios == heat.cells.size * cell_mib * 256
    assert (region.classes.dtype, region.classes.size) == (np.dtype(np.uint8), region.nr_folios)
    folio = np.arange(region.nr_folios)
    row = folio // 8192 * region.row_stride + region.classes
    assert np.array_equal(row, folio // (cell_mib * 256))


def test_runs_become_vmas_named_by_their_address(tmp_path: Path) -> None:
    path = tmp_path / "r.damo"
    document = record()
    del document[0]["snapshots"][1]
    document[0]["snapshots"][0]["regions"].append(
        {"start": 4200 * MIB, "end": 4204 * MIB, "nr_accesses": 1}
    )
    path.write_bytes(packed(document))
    workload = build_recording(path, DamonRecording())
    assert [region.name for region in workload.regions] == [
        f"recorded-{4096 * MIB:#x}", f"recorded-{4200 * MIB:#x}",
    ]  # fmt: skip
    assert [region.nr_folios for region in workload.regions] == [1024, 1024]


def test_accesses_per_touch_scale_the_work_and_nothing_else(redis: Workload) -> None:
    more = build_recording(REDIS, DamonRecording(skip_s=20.0, accesses_per_touch=160.0))
    np.testing.assert_allclose(more.phase_accesses, 10 * redis.phase_accesses, rtol=1e-12)
    for one, ten in zip(redis.regions, more.regions, strict=True):
        np.testing.assert_allclose(ten.share * 10, one.share, rtol=1e-12)


def test_the_page_is_told_what_a_recording_does_not_know(redis: Workload) -> None:
    text = " ".join(redis.assumptions)
    for part in (
        "knows no processes",
        "Threads, think time and accesses per touch (16)",
        "9,728 MiB were touched at least once",
        "11,776 MiB of the monitored range were not",
    ):
        assert part in text


def test_a_recording_of_nothing_is_refused(tmp_path: Path) -> None:
    document = record()
    document[0]["snapshots"] = document[0]["snapshots"][:1]
    document[0]["snapshots"][0]["regions"] = document[0]["snapshots"][0]["regions"][1:]
    path = tmp_path / "quiet.damo"
    path.write_bytes(packed(document))
    with pytest.raises(RecordingError, match=r"recording quiet\.damo: DAMON saw no access at all"):
        build_recording(path, DamonRecording())


@pytest.mark.parametrize(
    ("name", "skip_s", "touched_mib", "nr_vmas", "nr_phases"),
    [
        ("redis-hot10", 0.0, 18_032, 5, 63),
        ("rocksdb-skew", 0.0, 14_786, 10, 63),
        ("rocksdb-skew", 20.0, 9326, 132, 45),
        ("redis-zipf", 0.0, 15_522, 1, 568),
    ],
)
def test_shipped_recordings_are_what_the_document_says(
    name: str, skip_s: float, touched_mib: int, nr_vmas: int, nr_phases: int
) -> None:
    workload = build_recording(SHIPPED / f"{name}.damo", DamonRecording(skip_s=skip_s))
    assert len(workload.regions) == nr_vmas
    assert sum(region.nr_folios for region in workload.regions) == touched_mib * 256
    assert workload.phase_accesses.size == nr_phases
    assert (workload.phase_accesses > 0).all()
    text = (SHIPPED.parents[1] / "docs" / "recordings.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {name} | {skip_s:g} |")]
    assert f"| {touched_mib:,} MiB | {nr_vmas} |" in row
    assert row.startswith(f"| {name} | {skip_s:g} | {nr_phases} |")
