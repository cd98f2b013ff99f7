/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "../vswitch/protocol.h"
#include "doctor.h"

#define PROGRAM "dpdk-xenvswitch"
#define BLANKS " \t\r\n"
#define MBUFS_DEFAULT 32768
/* DPDK's default without huge pages; and what the switch takes beside mbufs, and for each. */
#define NO_HUGE_MIB 64
#define BASE_MIB 48
#define MBUF_BYTES 2560
#define MIB 1048576UL
#define KIB 1024UL

extern char **environ;

/* Without blanks at both ends. */
static char *
trim(char *text)
{
	char *end;

	text += strspn(text, BLANKS);
	end = text + strlen(text);
	while (end > text && strchr(BLANKS, end[-1]) != NULL)
		end--;
	*end = '\0';
	return text;
}

static void
take_switch_key(struct doctor_config *c, const char *key, const char *value)
{
	if (strcmp(key, "eal") == 0)
		snprintf(c->eal, sizeof(c->eal), "%s", value);
	else if (strcmp(key, "control") == 0)
		snprintf(c->control, sizeof(c->control), "%s", value);
	else if (strcmp(key, "mbufs") == 0)
		c->mbufs = strtoul(value, NULL, 10);
}

static void
take_port_key(struct doctor_config *c, const char *key, const char *value)
{
	if (strcmp(key, "kind") == 0)
		c->taps |= strcmp(value, "tap") == 0;
	else if (strcmp(key, "vhost") == 0)
		c->vhost |= strcmp(value, "yes") == 0;
	else if (strcmp(key, "devargs") == 0 && c->nb_devices < DOCTOR_DEVICES_MAX)
		snprintf(c->devices[c->nb_devices++], DOCTOR_TEXT_SIZE, "%s", value);
}

/* Whether the file is right is the switch's to say. */
static void
read_config(struct doctor *d)
{
	char line[DOCTOR_TEXT_SIZE], section[8] = "", *text, *equals;
	FILE *file = fopen(d->path, "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		text = trim(line);
		equals = strchr(text, '=');
		if (*text == '[') {
			text += 1 + strspn(text + 1, BLANKS);
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(text, "]" BLANKS),
					text);
		} else if (*text != '#' && *text != ';' && equals != NULL) {
			*equals = '\0';
			if (strcmp(section, "switch") == 0)
				take_switch_key(&d->config, trim(text), trim(equals + 1));
			else if (strcmp(section, "port") == 0)
				take_port_key(&d->config, trim(text), trim(equals + 1));
		}
	}
	if (file != NULL)
		fclose(file);
}

/* Start it with both its outputs on `fd`. A negative errno: it is not there. */
static int
spawn_check(const char *config, int fd, pid_t *pid)
{
	const char *const argv[] = { PROGRAM, "--check", "--config", config, NULL };
	posix_spawn_file_actions_t actions;
	int ret;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO);
	ret = posix_spawnp(pid, PROGRAM, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* Run it. Its status, and the first line that it prints; a negative errno: it did not run. */
static int
run_check(const char *config, char *line, int size)
{
	int fds[2], ret, status = 0;
	char rest[64];
	pid_t pid;
	FILE *out;

	line[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	out = fdopen(fds[0], "r");
	ret = out == NULL ? -errno : spawn_check(config, fds[1], &pid);
	close(fds[1]);
	if (out != NULL && ret == 0 && fgets(line, size, out) != NULL)
		line[strcspn(line, "\n")] = '\0';
	/* It must not end by a pipe that is closed. */
	while (out != NULL && ret == 0 && fgets(rest, sizeof(rest), out) != NULL)
		;
	if (out != NULL)
		fclose(out);
	else
		close(fds[0]);
	if (ret != 0)
		return ret;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECANCELED;
}

void
doctor_check_config(struct doctor *d)
{
	char line[DOCTOR_TEXT_SIZE];
	int status;

	d->config.mbufs = MBUFS_DEFAULT;
	snprintf(d->config.control, sizeof(d->config.control), "%s", PROTOCOL_SOCKET);
	read_config(d);
	status = run_check(d->path, line, sizeof(line));
	if (status < 0 || status == 127)
		doctor_say(d, "configuration", "no program " PROGRAM " to check it; install it");
	else if (status != 0)
		doctor_say(d, "configuration", "%s", line);
	else
		doctor_say(d, "configuration", NULL);
}

/* An option of EAL and, if it is there, the word behind it. NULL: it is not given. */
static const char *
eal_option(const struct doctor *d, const char *name)
{
	size_t len = strlen(name);
	const char *at = d->config.eal;

	while ((at = strstr(at, name)) != NULL) {
		if ((at == d->config.eal || strchr(BLANKS, at[-1]) != NULL) &&
				(at[len] == '\0' || strchr(BLANKS, at[len]) != NULL))
			return at + len + strspn(at + len, BLANKS);
		at += len;
	}
	return NULL;
}

static unsigned long
meminfo(const char *name)
{
	char path[DOCTOR_TEXT_SIZE], line[128];
	FILE *file = fopen(doctor_path(path, "/proc/meminfo"), "r");
	unsigned long value = 0;
	size_t len = strlen(name);

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			value = strtoul(line + len + 1, NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return value;
}

/* What mbufs and all else take, in MiB, beside what there is. */
static void
check_enough(struct doctor *d, unsigned long mib, const char *mend)
{
	unsigned long needed = BASE_MIB + d->config.mbufs * MBUF_BYTES / MIB;

	if (mib >= needed)
		doctor_say(d, "memory", NULL);
	else
		doctor_say(d, "memory",
				"%lu MiB are too little for mbufs = %lu, which take some %lu; %s",
				mib, d->config.mbufs, needed, mend);
}

void
doctor_check_memory(struct doctor *d)
{
	const char *size = eal_option(d, "-m");
	unsigned long pages = meminfo("HugePages_Total"), mib;
	char path[DOCTOR_TEXT_SIZE], type[16] = "";

	doctor_read(doctor_path(path, "/sys/hypervisor/guest_type"), type, sizeof(type));
	if (eal_option(d, "--no-huge") != NULL) {
		doctor_say(d, "no huge pages", NULL);
		mib = size == NULL ? NO_HUGE_MIB : strtoul(size, NULL, 10);
		check_enough(d, mib, "-m MIB in [switch] eal gives more");
	} else if (strcmp(type, "PV") == 0) {
		doctor_say(d, "huge pages",
				"a PV domain has none; --no-huge --legacy-mem -m MIB in [switch] "
				"eal");
	} else if (pages == 0) {
		doctor_say(d, "huge pages",
				"there are none; sysctl vm.nr_hugepages=512, or --no-huge "
				"--legacy-mem -m MIB in [switch] eal");
	} else {
		doctor_say(d, "huge pages", NULL);
		check_enough(d, pages * meminfo("Hugepagesize") / KIB,
				"sysctl vm.nr_hugepages gives more");
	}
}
