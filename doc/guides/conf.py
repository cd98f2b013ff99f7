# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""How sphinx builds the guides: scripts/docs."""

import pathlib
import re

TREE = pathlib.Path(__file__).resolve().parents[2]

project = "xenvif"
project_copyright = copyright = "2026 The xenvif contributors"
version = release = re.search(r"version: '([^']+)'",
                              (TREE / "meson.build").read_text(encoding="utf-8"))[1]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "nosidebar": False}
html_show_sourcelink = False
html_copy_source = False
# Only what has an explicit language is coloured, and nothing is guessed.
highlight_language = "none"
nitpicky = True
