/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Commands for the machine as a whole. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"
#include "xenbus.h"

static void
print_log(const char *dir)
{
	char path[PATH_MAX], line[512];
	FILE *f;

	f = fopen(path_of(path, sizeof(path), "%s/log", dir), "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		fprintf(stderr, "  %s", line);
	if (f != NULL)
		fclose(f);
}

/* Become a daemon; the parent gets a line when it is ready, or the end of the pipe. */
static int
spawn_daemon(const char *dir, int ready)
{
	char path[PATH_MAX];
	int fd;
	pid_t pid;

	pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : 0;
	setsid();
	if (fork() != 0)
		_exit(0);
	fd = open(path_of(path, sizeof(path), "%s/log", dir), O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0)
		_exit(1);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	fd = open("/dev/null", O_RDWR);
	dup2(fd, 0);
	if (fd > 2)
		close(fd);
	dup2(ready, 3);
	for (fd = 4; fd < 1024; fd++)
		close(fd);
	execl("/proc/self/exe", "xensim", "xenbusd", dir, (char *)NULL);
	_exit(1);
}

static int
cmd_start(int argc, char **argv)
{
	char dir[PATH_MAX], ok[8];
	int ret, ready[2];
	ssize_t len;

	if (argc != 1)
		return usage_error("expected one folder");
	if (mkdir(argv[0], 0700) != 0 && errno != EEXIST)
		return fail("%s: %s", argv[0], strerror(errno));
	if (realpath(argv[0], dir) == NULL)
		return fail("%s: %s", argv[0], strerror(errno));
	if (strlen(dir) > TOOL_DIR_MAX)
		return fail("%s: folder name too long: at most %d characters, for its sockets", dir,
				TOOL_DIR_MAX);
	ret = xensim_machine_create(dir);
	if (ret == -EEXIST)
		return fail("%s: there is a machine already; xensim stop %s removes it", dir, dir);
	if (ret != 0)
		return fail("%s: cannot make a machine: %s", dir, strerror(-ret));
	if (pipe(ready) != 0)
		return fail("pipe: %s", strerror(errno));
	ret = spawn_daemon(dir, ready[1]);
	close(ready[1]);
	len = ret != 0 ? 0 : read(ready[0], ok, sizeof(ok));
	wait(NULL);
	if (len > 0)
		return 0;
	fail("%s: the machine did not start:", dir);
	print_log(dir);
	clean_machine(dir);
	return 1;
}

static int
cmd_xenbusd(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "--clean") == 0) {
		clean_machine(argv[1]);
		return 0;
	}
	if (argc != 1)
		return usage_error("expected one folder");
	return daemon_main(argv[0]);
}

/* The folder a command is about: its argument, else the environment's. */
static const char *
dir_argument(int argc, char **argv)
{
	if (argc == 1)
		tool_dir_set(argv[0]);
	return argc > 1 ? NULL : tool_dir();
}

static int
cmd_stop(int argc, char **argv)
{
	const char *dir = dir_argument(argc, argv);
	char reply[256], path[PATH_MAX];
	int ret;

	if (dir == NULL)
		return usage_error("expected one folder");
	ret = control_call(dir, "stop", reply, sizeof(reply));
	/* What a killed daemon left. */
	if (ret == -ECONNREFUSED || ret == -ENOENT) {
		if (access(path_of(path, sizeof(path), "%s/machine", dir), F_OK) != 0)
			return fail("%s: no machine there", dir);
		clean_machine(dir);
		return 0;
	}
	if (ret != 0 || strcmp(reply, "ok") != 0)
		return fail("%s: %s", dir, ret != 0 ? strerror(-ret) : reply);
	return 0;
}

static int
cmd_restart(int argc, char **argv)
{
	const char *dir = dir_argument(argc, argv);
	char reply[256];
	int ret;

	if (dir == NULL)
		return usage_error("expected one folder");
	ret = control_call(dir, "restart", reply, sizeof(reply));
	if (ret != 0 || strcmp(reply, "ok") != 0)
		return fail("%s: %s", dir, ret != 0 ? strerror(-ret) : reply);
	return 0;
}

static int
environment(unsigned int domid, char *vars[4])
{
	const char *dir = tool_dir(), *old = getenv("LD_LIBRARY_PATH");
	int ret;

	if (dir == NULL)
		return fail("no machine: set XENSIM_DIR or give --dir DIR");
	ret = xensim_domain_info(domid, NULL);
	if (ret < 0)
		return 1;
	if (ret == 0)
		return fail("domain %u does not exist in %s: xensim domain-create %u", domid, dir,
				domid);
	if (old != NULL && strstr(old, tool_lib_dir()) == old)
		ret = asprintf(&vars[2], "LD_LIBRARY_PATH=%s", old);
	else
		ret = asprintf(&vars[2], "LD_LIBRARY_PATH=%s%s%s", tool_lib_dir(),
				old != NULL && *old ? ":" : "", old != NULL ? old : "");
	if (ret < 0 || asprintf(&vars[0], "XENSIM_DIR=%s", dir) < 0 ||
			asprintf(&vars[1], "XENSIM_DOMID=%u", domid) < 0)
		return fail("out of memory");
	ret = domid == 0 ? asprintf(&vars[3], "XENSTORED_PATH=%s/run/socket", dir) :
			   asprintf(&vars[3], "XENSTORED_PATH=%s/dom%u/xenstored", dir, domid);
	return ret < 0 ? fail("out of memory") : 0;
}

/* As one word of a shell, whatever is in it. */
static void
print_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

static int
cmd_env(int argc, char **argv)
{
	unsigned int domid = 0;
	char *vars[4], *eq;
	int i, ret = 0;

	if (argc > 1)
		return usage_error("expected at most one domain");
	if (argc == 1)
		ret = parse_domid(argv[0], &domid);
	if (ret == 0)
		ret = environment(domid, vars);
	for (i = 0; ret == 0 && i < 4; i++) {
		eq = strchr(vars[i], '=');
		*eq = '\0';
		printf("export %s=", vars[i]);
		print_quoted(eq + 1);
		putchar('\n');
		free(vars[i]);
	}
	return ret;
}

static int
cmd_exec(int argc, char **argv)
{
	unsigned int domid;
	char *vars[4];
	int i, ret;

	if (argc < 3 || strcmp(argv[1], "--") != 0)
		return usage_error("expected a domain, -- and a command");
	ret = parse_domid(argv[0], &domid);
	if (ret == 0)
		ret = environment(domid, vars);
	if (ret != 0)
		return ret;
	for (i = 0; i < 4; i++)
		putenv(vars[i]);
	execvp(argv[2], &argv[2]);
	return fail("%s: %s", argv[2], strerror(errno));
}

const struct tool_command tool_machine_commands[] = {
	{ "start", "DIR", "make a machine with domain 0 and start its xenstore", cmd_start },
	{ "stop", "[DIR]", "end the machine and remove everything of it", cmd_stop },
	{ "restart-xenstored", "[DIR]",
			"end oxenstored and start it again with its database; connections break",
			cmd_restart },
	{ "env", "[DOMID]", "print the environment of a domain as lines for a shell", cmd_env },
	{ "exec", "DOMID -- COMMAND ARGS...", "run a program in a domain", cmd_exec },
	{ "xenbusd", "[--clean] DIR", "(run by start) the kernels' part: xenstore for the domains",
			cmd_xenbusd },
	{ NULL, NULL, NULL, NULL },
};
