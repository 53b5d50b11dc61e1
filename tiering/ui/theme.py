"""Look of the page: one theme for all components, system fonts, light and dark by the system."""

from typing import Any

import dash_mantine_components as dmc

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def with_theme(children: list[Any]) -> Any:
    """The children under one MantineProvider."""
    return dmc.MantineProvider(
        children,
        defaultColorScheme="auto",
        theme={
            "fontFamily": SANS,
            "fontFamilyMonospace": MONO,
            "headings": {"fontFamily": SANS},
            "primaryColor": "blue",
            "primaryShade": 8,
            "defaultRadius": "sm",
            "respectReducedMotion": True,
        },
    )
