/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define COLUMNS_MAX 20

static void
put_value(FILE *to, const struct column *column, const json_t *value)
{
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		fputs(json_string_value(value), to);
		break;
	case JSON_INTEGER:
		fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_TRUE:
		fputs(column->yes != NULL ? column->yes : "yes", to);
		break;
	case JSON_FALSE:
		fputs(column->no != NULL ? column->no : "no", to);
		break;
	case JSON_ARRAY:
		for (i = 0; i < json_array_size(value); i++) {
			if (i != 0)
				fputc(',', to);
			put_value(to, column, json_array_get(value, i));
		}
		break;
	default:
		break;
	}
}

/* The text of a cell, to be freed. NULL: there is no memory. */
static char *
cell_text(const struct column *column, const json_t *row)
{
	const json_t *value = json_object_get(row, column->key);
	char *text = NULL;
	size_t len = 0;
	FILE *to;

	to = open_memstream(&text, &len);
	if (to == NULL)
		return NULL;
	if (value != NULL)
		put_value(to, column, value);
	if (ftell(to) == 0)
		fputc('-', to);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* What the last column holds has nothing behind it. */
static void
put_cell(FILE *to, const struct column *column, const char *text, int width)
{
	if (column[1].title == NULL)
		fprintf(to, "%*s\n", column->number ? width : 0, text);
	else
		fprintf(to, "%*s  ", column->number ? width : -width, text);
}

static int
max(int a, size_t b)
{
	return (size_t)a > b ? a : (int)b;
}

/* Put a row, or with `to` NULL widen the columns for it. */
static int
put_row(FILE *to, const struct column *columns, const json_t *row, int *widths)
{
	unsigned int i;
	char *text;

	for (i = 0; columns[i].title != NULL; i++) {
		text = cell_text(&columns[i], row);
		if (text == NULL)
			return -ENOMEM;
		if (to == NULL)
			widths[i] = max(widths[i], strlen(text));
		else
			put_cell(to, &columns[i], text, widths[i]);
		free(text);
	}
	return 0;
}

int
table_print(FILE *to, const json_t *rows, const struct column *columns)
{
	int widths[COLUMNS_MAX], ret = 0;
	unsigned int i;
	size_t r;

	for (i = 0; columns[i].title != NULL; i++)
		widths[i] = strlen(columns[i].title);
	for (r = 0; r < json_array_size(rows) && ret == 0; r++)
		ret = put_row(NULL, columns, json_array_get(rows, r), widths);
	for (i = 0; columns[i].title != NULL; i++)
		put_cell(to, &columns[i], columns[i].title, widths[i]);
	for (r = 0; r < json_array_size(rows) && ret == 0; r++)
		ret = put_row(to, columns, json_array_get(rows, r), widths);
	return ret;
}
