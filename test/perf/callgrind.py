# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Reads the calls out of a profile that valgrind --tool=callgrind wrote uncompressed."""

import collections


class Call(collections.namedtuple("Call", "obj fn callee_obj callee_fn count cost")):
    """Calls from one function to another: how many, and instructions with all below."""


def read_calls(path):
    """All the call records of a profile, those of the same pair added up."""
    calls = collections.Counter()
    costs = collections.Counter()
    obj = fn = cobj = cfn = ""
    pending = None
    with open(path, encoding="utf-8", errors="replace") as profile:
        for line in profile:
            key, eq, value = line.rstrip("\n").partition("=")
            if eq and key == "ob":
                obj = value
                cobj = value
            elif eq and key == "fn":
                fn = value
            elif eq and key == "cob":
                cobj = value
            elif eq and key == "cfn":
                cfn = value
            elif eq and key == "calls":
                pending = int(value.split()[0])
            elif pending is not None and line[:1].isdigit():
                pair = (obj, fn, cobj, cfn)
                calls[pair] += pending
                costs[pair] += int(line.split()[1])
                pending = None
                cobj = obj
    return [Call(*pair, calls[pair], costs[pair]) for pair in costs]
