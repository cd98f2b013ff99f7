/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "ini.h"
#include "text.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut what is blank at both ends. */
static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, TEXT_BLANKS);
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* Take a line: its start and its length without blanks at the ends. */
static const char *
take_line(struct ini *ini, size_t *len)
{
	const char *start = ini->at, *end = strchrnul(start, '\n');

	ini->at = *end == '\0' ? end : end + 1;
	ini->line++;
	if (end > start && end[-1] == '\r')
		end--;
	while (is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	*len = end - start;
	return start;
}

static int
copy_line(struct ini_item *item, const char *line, size_t len, char *error, size_t size)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] != '\t' && (line[i] < ' ' || line[i] > '~'))
			return text_error(error, size,
					"byte 0x%02x: only printable ASCII is allowed, but in "
					"comments",
					(uint8_t)line[i]);
	}
	if (len >= sizeof(item->text))
		return text_error(error, size, "line of %zu characters: at most %zu are allowed",
				len, sizeof(item->text) - 1);
	memcpy(item->text, line, len);
	item->text[len] = '\0';
	return 0;
}

static int
split_section(struct ini_item *item, char *error, size_t size)
{
	size_t len = strlen(item->text);
	struct text_quote quote;

	if (item->text[len - 1] != ']')
		return text_error(error, size, "%s: a section has to end in ']'",
				text_quote(&quote, item->text));
	item->text[len - 1] = '\0';
	item->section = true;
	item->name = trim(item->text + 1);
	item->value = item->name + strcspn(item->name, TEXT_BLANKS);
	if (*item->value != '\0') {
		*item->value = '\0';
		item->value = trim(item->value + 1);
	}
	return 0;
}

static int
split_key(struct ini_item *item, char *error, size_t size)
{
	char *equals = strchr(item->text, '=');
	struct text_quote quote;

	if (equals == NULL || equals == item->text)
		return text_error(error, size,
				"%s: has to be KEY = VALUE, a section in brackets, or a comment "
				"after '#'",
				text_quote(&quote, item->text));
	*equals = '\0';
	item->section = false;
	item->name = trim(item->text);
	item->value = trim(equals + 1);
	return 0;
}

int
ini_next(struct ini *ini, struct ini_item *item, char *error, size_t size)
{
	const char *line;
	size_t len;
	int ret;

	while (*ini->at != '\0') {
		line = take_line(ini, &len);
		if (len == 0 || *line == '#' || *line == ';')
			continue;
		ret = copy_line(item, line, len, error, size);
		if (ret != 0)
			return ret;
		ret = *line == '[' ? split_section(item, error, size) :
				     split_key(item, error, size);
		return ret == 0 ? 1 : ret;
	}
	return 0;
}
