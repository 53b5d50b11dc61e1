"""What belongs to the project: the files git tracks, or all files where there is no git."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", "__pycache__", "node_modules", "build", "dist"}


@cache
def tracked() -> tuple[Path, ...]:
    """Paths relative to ROOT of every tracked file that exists, sorted."""
    try:
        listing = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
        ).stdout
        paths = [Path(name) for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    ours = (path for path in paths if not _foreign(path) and (ROOT / path).is_file())
    return tuple(sorted(ours))


def _foreign(path: Path) -> bool:
    folders = path.parts[:-1]
    return any(name in NOT_OURS or name.endswith(("_cache", ".egg-info")) for name in folders)


def python_files() -> list[Path]:
    """Tracked Python files."""
    return [path for path in tracked() if path.suffix == ".py"]


def text_of(path: Path) -> str | None:
    """The text of a tracked file, None if it is binary."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
