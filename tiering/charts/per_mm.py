"""Lines of processes: one each, or a band and those that the user picked where there are many."""

from dataclasses import replace

from tiering.charts.chart import Series
from tiering.charts.colours import NEUTRAL, process_colour
from tiering.charts.setting import Setting

MOST_MMS = 8


def per_mm(
    names: list[str], setting: Setting, like: Series, suffix: str = ""
) -> tuple[Series, ...]:
    """Series of the field of `like`, one for each of up to MOST_MMS mms, in its colour.

    Above that a band in which 80 % of them lie, their median, and the picked ones.
    """
    if len(names) <= MOST_MMS:
        return tuple(
            replace(like, name=name + suffix, index=(mm,), colour=setting.colour(mm))
            for mm, name in enumerate(names)
        )
    picked = [mm for mm in setting.picked if mm < len(names)]
    return (
        *band(like, suffix),
        *(
            replace(
                like, name=names[mm] + suffix, index=(mm,), colour=process_colour(nr), picked=nr
            )
            for nr, mm in enumerate(picked)
        ),
    )


def band(like: Series, suffix: str = "") -> tuple[Series, Series, Series]:
    """Band from the 10th to the 90th percentile, and the median."""
    grey = replace(like, colour=NEUTRAL, dash="solid")
    return (
        replace(grey, name=f"10 %{suffix}", style="band_low", reduce="p10", width=0.5),
        replace(grey, name=f"90 %{suffix}", style="band_high", reduce="p90", width=0.5),
        replace(grey, name=f"median{suffix}", reduce="median", dash=like.dash, width=2.5),
    )


def band_note(names: list[str]) -> str:
    """What the legend says of many mms; nothing of few."""
    if len(names) <= MOST_MMS:
        return ""
    return f"{len(names)} mms: band of the middle 80 %, median, and those picked"
