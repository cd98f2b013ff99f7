/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The real oxenstored, on the stand-in hypervisor and in a mount namespace of its own. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"
#include "xenbus.h"

/* Where Debian has it: below the version of Xen. */
#define BINARIES "/usr/lib/xen-*/bin/oxenstored"
/* File descriptor of the listening socket, which a restarted oxenstored takes from the database. */
#define LISTEN_FD 3

static int
write_file(const char *path, const char *text)
{
	int fd;
	bool ok;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok ? 0 : -EIO;
}

/* Without root a user namespace of ours lets us mount. */
static int
namespace_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) != 0) {
		if (unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0)
			return -errno;
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_file("/proc/self/gid_map", map);
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ? -errno : 0;
}

static void
mkdirs(char *path)
{
	char *p;

	for (p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	mkdir(path, 0755);
}

/* Its socket and its database are always below /run/xenstored: give it a /run of its own, with
 * the machine's folder at its place when that is below /run too.
 */
static int
mounts_make(const char *dir)
{
	char path[PATH_MAX], from[64], limit[32];
	struct rlimit nofile;
	int fd;

	fd = open(dir, O_PATH | O_CLOEXEC);
	if (fd < 0 || mount("xensim", "/run", "tmpfs", 0, "mode=0755") != 0)
		return -errno;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (strncmp(dir, "/run/", 5) == 0) {
		mkdirs(path_of(path, sizeof(path), "%s", dir));
		if (mount(from, dir, NULL, MS_BIND, NULL) != 0)
			return -errno;
	}
	mkdir("/run/xenstored", 0755);
	path_of(path, sizeof(path), "%s/run", from);
	if (mount(path, "/run/xenstored", NULL, MS_BIND, NULL) != 0)
		return -errno;
	close(fd);
	/* It raises its limit of open files to what this file says, allowed or not. */
	getrlimit(RLIMIT_NOFILE, &nofile);
	snprintf(limit, sizeof(limit), "%llu\n",
			nofile.rlim_max > 1048576 ? 1048576ULL :
						    (unsigned long long)nofile.rlim_max);
	if (write_file("/run/nr_open", limit) != 0)
		return -EIO;
	if (mount("/run/nr_open", "/proc/sys/fs/nr_open", NULL, MS_BIND, NULL) != 0)
		return -errno;
	return 0;
}

static int
config_write(const char *dir)
{
	char path[PATH_MAX], text[PATH_MAX * 4];
	int len;

	len = snprintf(text, sizeof(text),
			"xenstored-kva = %s/run/xsd_kva\nxenstored-port = %s/run/xsd_port\n"
			"persistent = false\nquota-maxwatch = 128\n"
			"pid-file = %s/run/xenstored.pid\n"
			"xenstored-log-file = %s/run/log\nxenstored-log-level = warn\n",
			dir, dir, dir, dir);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -ENAMETOOLONG;
	return write_file(path_of(path, sizeof(path), "%s/run/conf", dir), text);
}

static void
environment_set(const char *dir)
{
	setenv("XENSIM_DIR", dir, 1);
	setenv("XENSIM_DOMID", "0", 1);
	setenv("LD_LIBRARY_PATH", tool_lib_dir(), 1);
	/* By its name alone: a list of paths ends at a space. */
	setenv("LD_PRELOAD", "libxensim-xenstored.so", 1);
	/* A sanitized build's objects come after oxenstored's own, and its leaks are not ours. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
}

/* The newest there is: 0, or a negative errno. */
static int
binary_find(char *path, size_t size)
{
	glob_t found;
	const char *newest;
	size_t i;
	int ret;

	ret = glob(BINARIES, GLOB_NOSORT, NULL, &found);
	if (ret != 0)
		return ret == GLOB_NOSPACE ? -ENOMEM : -ENOENT;
	newest = found.gl_pathv[0];
	for (i = 1; i < found.gl_pathc; i++)
		if (strverscmp(found.gl_pathv[i], newest) > 0)
			newest = found.gl_pathv[i];
	ret = snprintf(path, size, "%s", newest) < (int)size ? 0 : -ENAMETOOLONG;
	globfree(&found);
	return ret;
}

static void
child(const char *dir, bool restart)
{
	char binary[PATH_MAX], conf[PATH_MAX];
	const char *step = "enter a mount namespace";
	sigset_t none;
	int ret;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environment_set(dir);
	ret = namespace_enter();
	if (ret == 0) {
		step = "find " BINARIES " (package xen-utils-VERSION)";
		ret = binary_find(binary, sizeof(binary));
	}
	if (ret == 0) {
		step = "mount";
		ret = mounts_make(dir);
	}
	if (ret == 0) {
		/* So that its socket, the first file it opens, is LISTEN_FD. */
		close_range(LISTEN_FD, ~0u, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		path_of(conf, sizeof(conf), "%s/run/conf", dir);
		execl(binary, "oxenstored", "--no-fork", "--no-access-log", "--config-file", conf,
				restart ? "--restart" : (char *)NULL, (char *)NULL);
		step = "run it";
		ret = -errno;
	}
	fprintf(stderr, "oxenstored: cannot %s: %s\n", step, strerror(-ret));
	_exit(1);
}

pid_t
oxenstored_start(const char *dir, bool restart)
{
	pid_t pid;

	if (config_write(dir) != 0)
		return -1;
	fflush(stderr);
	pid = fork();
	if (pid == 0)
		child(dir, restart);
	return pid;
}

/* Ask for a key and wait for the header of the answer, for a second at most. The library would
 * wait for ever.
 */
static bool
answers(const char *dir)
{
	static const char key[] = "/tool/xenstored";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 1 };
	struct {
		struct xsd_sockmsg msg;
		char key[sizeof(key)];
	} request = { .msg = { .type = XS_READ, .len = sizeof(key) } };
	struct xsd_sockmsg reply;
	bool ok;
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/run/socket", TOOL_DIR_MAX, dir);
	memcpy(request.key, key, sizeof(key));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			send(fd, &request, sizeof(request.msg) + sizeof(key), MSG_NOSIGNAL) > 0 &&
			recv(fd, &reply, sizeof(reply), MSG_WAITALL) == sizeof(reply) &&
			reply.type == XS_READ;
	close(fd);
	return ok;
}

/* Until it answers, or the process ends. */
int
oxenstored_wait(const char *dir, pid_t pid)
{
	double end = monotonic_s() + TOOL_WAIT_S;
	char path[PATH_MAX];

	setenv("XENSTORED_PATH", path_of(path, sizeof(path), "%s/run/socket", dir), 1);
	while (monotonic_s() < end) {
		if (answers(dir))
			return 0;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return -ECHILD;
		usleep(20000);
	}
	return -ETIMEDOUT;
}

int
oxenstored_stop(pid_t pid)
{
	double end = monotonic_s() + TOOL_WAIT_S;
	int status;

	kill(pid, SIGTERM);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (monotonic_s() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -ETIMEDOUT;
		}
		usleep(5000);
	}
	return 0;
}

/* The database was written for a process that goes on with the same file descriptors. For a new
 * one connections by socket are gone, event channels are bound anew and the socket is LISTEN_FD.
 */
int
oxenstored_trim_dump(const char *dir)
{
	char from[PATH_MAX], to[PATH_MAX], *line = NULL, *p;
	size_t cap = 0;
	FILE *in, *out;
	int i;

	in = fopen(path_of(from, sizeof(from), "%s/run/db", dir), "r");
	out = fopen(path_of(to, sizeof(to), "%s/run/db.new", dir), "w");
	if (in == NULL || out == NULL) {
		if (in != NULL)
			fclose(in);
		if (out != NULL)
			fclose(out);
		return -ENOENT;
	}
	while (getline(&line, &cap, in) > 0) {
		if (strncmp(line, "evtchn-dev,", 11) == 0 || strncmp(line, "socket,", 7) == 0 ||
				strncmp(line, "watch,-", 7) == 0)
			continue;
		if (strncmp(line, "global,", 7) == 0) {
			fprintf(out, "global,%d\n", LISTEN_FD);
			continue;
		}
		if (strncmp(line, "dom,", 4) == 0) {
			for (p = line, i = 0; *p != '\0' && *p != '\n'; p++)
				if (*p == ',' && ++i == 4)
					break;
			*p = '\0';
			fprintf(out, "%s\n", line);
			continue;
		}
		fputs(line, out);
	}
	free(line);
	fclose(in);
	return fclose(out) == 0 && rename(to, from) == 0 ? 0 : -errno;
}
