# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""What the benchmarks share before they begin: options, and a tree that is built."""

import argparse
import os
import subprocess
import sys

SETUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/setup")


def number(kind, least, most=None):
    """A type for argparse: a number of this kind, at least and at most this large."""
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value < float("inf") or \
                (most is not None and value > most):
            bounds = f"from {least} up" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {bounds}")
        return value
    return parse


def names(known):
    """A type for argparse: a list of known names with commas between."""
    def parse(text):
        given = text.split(",")
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no '{name}'; there are: {', '.join(known)}")
            if given.count(name) > 1:
                raise argparse.ArgumentTypeError(f"'{name}' is named twice")
        return given
    return parse


def output_file(path):
    """A type for argparse: a file that can be written, not touched yet."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"'{path}' cannot be written")
    return path


def output_folder(path):
    """A type for argparse: a folder for files, not made yet."""
    if os.path.exists(path) and not os.path.isdir(path):
        raise argparse.ArgumentTypeError(f"'{path}' is no folder")
    return path


def add_build(parser):
    """The option that scripts/bench gives, too."""
    parser.add_argument("--build", metavar="DIR", type=os.path.abspath,
                        help="build folder (default: build/ in the tree)")


def prepare(build, why, *setup_options):
    """Set up what is missing, once it is known that the options are good; needs root."""
    if os.geteuid() != 0:
        sys.exit(f"bench: error: must be run as root: {why}")
    done = subprocess.run([SETUP, "--build", build, *setup_options], stdout=sys.stderr,
                          check=False)
    if done.returncode != 0:
        sys.exit(1)
