# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Tables of backends beside each other: of each a figure, and of all but the first its ratio to the
first one's."""


def add_ratios(row, backends):
    """The ratios of a row that has the figures; None where there is none."""
    first = row[backends[0]]
    for backend in backends[1:]:
        row[f"{backend}-ratio"] = (round(row[backend] / first, 3)
                                   if row[backend] is not None and first else None)


def cell(value, form, width):
    """A figure for people, in so many columns; "-" where there is none."""
    return f"{'-' if value is None else format(value, form):>{width}}"


def print_table(table, headings, titles, backends):
    """For people: a table for each of the headings by measurement; titles are those of rows by
    name; backends, those of the columns."""
    for measurement, heading in headings:
        print(f"\n{heading}")
        print(f"  {'':42}" + "".join(f" {title:>12}" + (" " + f"{'ratio':>7}" if i else "")
                                    for i, title in enumerate(backends.values())))
        for row in table:
            if row["measurement"] != measurement:
                continue
            line = f"  {titles.get(row['name'], row['name']):42}"
            for backend in backends:
                value = row[backend]
                form = ",.2f" if isinstance(value, float) and value < 100 else ",.0f"
                line += f" {cell(value, form, 12)}"
                if f"{backend}-ratio" in row:
                    line += f" {cell(row[backend + '-ratio'], '.3f', 7)}"
            print(line)
