#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""The blocks of commands in the documents, and how a test comes by each of them.

A block of commands is run as it is written, in the terminal "host": a shell in the tree's folder.
A comment right before it, <!-- test: WORDS --> in Markdown, .. test: WORDS in reStructuredText,
says what is otherwise:

  in TERMINAL   another terminal: dom0, guest1 or guest2 of the stand-in machine, or one more of
                these or of the host's under a name of its own: "dom0 watch"; in each of several:
                "host 1,host 2"
  stays         it stays in the foreground, to be ended by the next block in that terminal
  until REGEX   the same, and the next block waits until its output matches
  then talk     afterwards the two guests have to reach each other
  then connected    afterwards the first vif of guest1 has to be connected
  rig NAME      run in the machine with real Xen, by the scenario that says doc_block NAME, or
                doc_testpmd PROCESS NAME
  smoke NAME    run by the smoke test that says doc_block NAME, doc_stays NAME or doc_text NAME
  by PATH       that test runs the same, or is what is run
  also          it is run here besides
  output        (of a block of text) the block before has to print these lines, but for numbers
"""

import argparse
import glob
import os
import re
import shlex
import shutil
import sys
import textwrap

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# In the order in which they are read: what one of them installs the next one may use.
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "doc/guides/*.rst", "doc/guides/*/*.rst",
             "test/*/README.md")
COMMANDS = ("sh", "console")
TEXT = ("text", "none")
MARK = re.compile(r"(?:<!-- test: (.*) -->| *\.\. test: (.*))$")
FENCE = re.compile(r"```(\w*)$")
DIRECTIVE = re.compile(r"( *)\.\. code-block:: *(\w*)$")
AFTERWARDS = ("talk", "connected")
WORDS = {"in": 1, "stays": 0, "until": 1, "then": 1, "rig": 1, "smoke": 1, "by": 1, "also": 0,
         "output": 0}
# Who says doc_block.
RUNNERS = {"rig": "test/xen/scenarios/*", "smoke": "test/smoke/*.sh"}


class Block:
    """A block of a document; mark has the words of its comment."""

    def __init__(self, path, line, lang, lines, mark):
        self.path = path
        self.line = line
        self.lang = lang
        self.text = textwrap.dedent("\n".join(lines)).strip("\n") + "\n"
        self.mark = mark

    @property
    def where(self):
        """Where it stands, and what it begins with."""
        return f"{self.path}:{self.line} {self.text.splitlines()[0][:50].rstrip(chr(92) + ' ')}"

    @property
    def commands(self):
        """Is it something to be run?"""
        return self.lang in COMMANDS

    @property
    def here(self):
        """Is it run here, and not by the rig or by another test?"""
        return self.commands and ("also" in self.mark or
                                  not {"by", *RUNNERS} & set(self.mark))

    def terminals(self):
        """The names of the terminals to run it in; the first word of each tells the place."""
        return self.mark.get("in", "host").split(",")

    def programs(self):
        """The first word of each of its commands, without settings of the environment."""
        lines = re.sub(r"\\\n", " ", self.text).splitlines()
        words = (shlex.split(line, comments=True) for line in lines)
        return [next(w for w in line if not re.match(r"\w+=", w)) for line in words if line]


class Document:
    """A document's blocks, and what is wrong with them."""

    def __init__(self, path):
        self.path = path
        self.blocks = []
        self.problems = []
        self.mark = {}
        with open(os.path.join(TREE, path), encoding="utf-8") as f:
            self.lines = f.read().split("\n")
        i = 0
        while i < len(self.lines):
            i = self._read(i)

    def problem(self, line, text):
        """Something that a person has to mend."""
        self.problems.append(f"{self.path}:{line + 1}: {text}")

    def _read(self, i):
        """Read what begins at a line; the line to go on with."""
        line = self.lines[i]
        mark, fence, directive = MARK.match(line), FENCE.match(line), DIRECTIVE.match(line)
        if mark:
            self.mark = self._words(i, mark[1] or mark[2])
        elif fence:
            return self._block(i, fence[1], self.lines.index("```", i + 1), 1)
        elif directive:
            end = i + 1
            while end < len(self.lines) and (not self.lines[end].strip() or
                                             self.lines[end].startswith(directive[1] + " ")):
                end += 1
            return self._block(i, directive[2], end, 0)
        elif line.strip() and self.mark:
            self.problem(i, "no block follows the comment before this line")
            self.mark = {}
        elif self._hidden(i):
            self.problem(i, "a literal block that does not say what it is: fence it in Markdown, "
                         "use code-block in reStructuredText")
        return i + 1

    def _hidden(self, i):
        line = self.lines[i]
        if self.path.endswith(".rst"):
            return re.search(r"[^:]::$|^::$", line) and not line.lstrip().startswith("..")
        return re.match(r"(    |\t)\S", line) and i > 0 and not self.lines[i - 1].strip()

    def _words(self, i, text):
        words, mark = shlex.split(text), {}
        while words:
            word = words.pop(0)
            if word not in WORDS or len(words) < WORDS[word]:
                self.problem(i, f"'{word}' is no word of a test's comment, or lacks its argument")
                return mark
            mark[word] = words.pop(0) if WORDS[word] else True
        return mark

    def _block(self, start, lang, end, closing):
        block = Block(self.path, start + 1, lang, self.lines[start + 1:end], self.mark)
        self.mark = {}
        self.blocks.append(block)
        if lang not in COMMANDS + TEXT:
            self.problem(start, f"a block's language is {', '.join(COMMANDS + TEXT)}: not '{lang}'")
        if not block.commands and set(block.mark) - {"output"}:
            self.problem(start, "a block of text is not run")
        if not block.commands and any(is_command(line) for line in block.text.splitlines()):
            self.problem(start, f"a command in a block of {lang}: {' or '.join(COMMANDS)} is run")
        if block.mark.get("then", AFTERWARDS[0]) not in AFTERWARDS:
            self.problem(start, f"then is followed by {' or '.join(AFTERWARDS)}")
        if "by" in block.mark:
            self._check_by(start, block)
        for word, scripts in RUNNERS.items():
            if word in block.mark and not says_doc_block(scripts, block.mark[word]):
                self.problem(start, f"none of {scripts} says doc_block {block.mark[word]}")
        return end + closing

    def _check_by(self, start, block):
        path = block.mark["by"]
        try:
            with open(os.path.join(TREE, path), encoding="utf-8") as f:
                text = f.read()
        except OSError as err:
            self.problem(start, f"{path}: {err.strerror}")
            return
        for program in block.programs():
            if program != path and program not in text:
                self.problem(start, f"{path} does not run {program}")


def is_command(line):
    """Does a line begin with a program of the tree or of this machine?"""
    words = line.split() or [""]
    word = words[0]
    # A key of a configuration may be a program's name.
    if words[1:2] == ["="]:
        return False
    path = os.path.join(TREE, word)
    return bool(shutil.which(word)) or os.path.isfile(path) and os.access(path, os.X_OK)


def says_doc_block(scripts, name):
    """Does one of these scripts run this block?"""
    pattern = re.compile(rf"\bdoc_(block|stays|text|testpmd \w+) {re.escape(name)}(?![\w-])")
    for path in glob.glob(os.path.join(glob.escape(TREE), scripts)):
        with open(path, encoding="utf-8") as f:
            if pattern.search(f.read()):
                return True
    return False


def documents():
    """All of them."""
    paths = [os.path.relpath(path, TREE) for pattern in DOCUMENTS
             for path in sorted(glob.glob(os.path.join(glob.escape(TREE), pattern)))]
    return [Document(path) for path in paths]


def write_named(docs, word, folder):
    """The blocks that this word names, as files with their names."""
    os.makedirs(folder, exist_ok=True)
    for block in (b for d in docs for b in d.blocks if word in b.mark):
        with open(os.path.join(folder, block.mark[word]), "w", encoding="utf-8") as f:
            f.write(block.text)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "list", "files", *RUNNERS),
                        help="check: say what is wrong and count; list: name the blocks; files: "
                        "name the documents with a block to be run here, and the domain whose "
                        "terminals it needs or none; rig DIR, smoke DIR: write the blocks of "
                        "that name")
    parser.add_argument("dir", nargs="?")
    args = parser.parse_args()
    docs = documents()
    blocks = [block for doc in docs for block in doc.blocks if block.commands]
    if args.what in RUNNERS:
        write_named(docs, args.what, args.dir)
    elif args.what == "list":
        for block in blocks:
            words = (k if v is True else f"{k} '{v}'" for k, v in block.mark.items())
            print(f"{block.where}: {' '.join(words)}")
    elif args.what == "files":
        for doc in docs:
            here = [b for b in doc.blocks if b.here]
            if here:
                print(doc.path, *sorted({t.split()[0] for b in here for t in b.terminals()} -
                                        {"host"}))
    else:
        problems = [problem for doc in docs for problem in doc.problems]
        for problem in problems:
            print(problem)
        rig, other = (sum(bool(words & set(block.mark)) for block in blocks)
                      for words in ({"rig"}, {"by", "smoke"}))
        print(f"{len(blocks)} blocks of commands in {len(docs)} documents: "
              f"{sum(block.here for block in blocks)} are run here, {rig} by scenarios on the rig, "
              f"{other} by other tests", file=sys.stderr)
        sys.exit(bool(problems))


if __name__ == "__main__":
    main()
