/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* A machine: one file that every process maps whole, and the lock in it. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim.h"

static pthread_mutex_t machines_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sim_machine *machines;
static char *dir_set;
static __thread int domid_set = -1;

void
sim_complain(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "xensim: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
xensim_set_dir(const char *dir)
{
	char *copy = NULL;

	if (dir != NULL) {
		copy = strdup(dir);
		if (copy == NULL)
			return -ENOMEM;
	}
	pthread_mutex_lock(&machines_lock);
	free(dir_set);
	dir_set = copy;
	pthread_mutex_unlock(&machines_lock);
	return 0;
}

const char *
sim_dir(void)
{
	return dir_set != NULL ? dir_set : getenv("XENSIM_DIR");
}

void
xensim_set_domid(int domid)
{
	domid_set = domid;
}

int
sim_domid(void)
{
	const char *env;
	char *end;
	long domid;

	if (domid_set >= 0)
		return domid_set;
	env = getenv("XENSIM_DOMID");
	if (env == NULL || *env == '\0')
		return 0;
	domid = strtol(env, &end, 10);
	if (*end != '\0' || domid < 0 || domid > XENSIM_MAX_DOMID) {
		sim_complain("XENSIM_DOMID=%s: expected 0..%d", env, XENSIM_MAX_DOMID);
		return -EINVAL;
	}
	return (int)domid;
}

static int
lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int ret;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	ret = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -ret;
}

void
sim_lock(struct sim_machine *m)
{
	if (pthread_mutex_lock(&m->h->lock) == EOWNERDEAD) {
		/* Its owner was killed half way through a change. */
		pthread_mutex_consistent(&m->h->lock);
		sim_repair(m);
	}
}

void
sim_unlock(struct sim_machine *m)
{
	pthread_mutex_unlock(&m->h->lock);
}

struct sim_dom *
sim_dom_find(struct sim_machine *m, unsigned int domid)
{
	unsigned int slot;

	if (domid > XENSIM_MAX_DOMID)
		return NULL;
	slot = sim_load_acquire(&m->h->dom_slot[domid]);
	return slot == SIM_NO_SLOT ? NULL : &m->h->dom[slot];
}

/* Map without letting mlockall(MCL_FUTURE) of an application fill the sparse file with memory:
 * pages are only populated where access is allowed at the time of the mapping.
 */
static void *
map_sparse(int fd, size_t size)
{
	void *base;

	base = mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return NULL;
	munlock(base, size);
	madvise(base, size, MADV_DONTDUMP);
	if (mprotect(base, size, PROT_READ | PROT_WRITE) != 0) {
		munmap(base, size);
		return NULL;
	}
	return base;
}

static size_t
header_size(void)
{
	return (sizeof(struct sim_header) + SIM_PAGE - 1) & ~(size_t)(SIM_PAGE - 1);
}

static size_t
machine_size(void)
{
	return header_size() + (size_t)SIM_MAX_FRAMES * SIM_PAGE;
}

static int
machine_format(int fd)
{
	struct sim_header *h;
	int ret;

	if (ftruncate(fd, (off_t)machine_size()) != 0)
		return -errno;
	h = map_sparse(fd, header_size());
	if (h == NULL)
		return -errno;
	h->size = machine_size();
	h->tsc_khz = sim_tsc_khz();
	h->charges.hc_batch = 16;
	h->grant_limit = XENSIM_MAX_GRANTS;
	memset(h->dom_slot, SIM_NO_SLOT, sizeof(h->dom_slot));
	ret = lock_init(&h->lock);
	sim_store_release(&h->magic, SIM_MAGIC);
	munmap(h, header_size());
	return ret;
}

static int
make_file(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	return fd < 0 ? -errno : fd;
}

int
xensim_machine_create(const char *dir)
{
	char path[PATH_MAX];
	int fd, ret;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return -errno;
	if (strlen(dir) > PATH_MAX - 64)
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/evtchn", dir);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = make_file(dir, "lock", 0);
	if (fd < 0)
		return fd;
	close(fd);
	fd = make_file(dir, "machine", O_EXCL);
	if (fd < 0)
		return fd;
	ret = machine_format(fd);
	close(fd);
	if (ret == 0)
		ret = xensim_set_dir(dir);
	if (ret == 0)
		ret = xensim_domain_create(0, "Domain-0");
	if (ret != 0)
		xensim_machine_destroy(dir);
	return ret;
}

int
xensim_machine_destroy(const char *dir)
{
	char path[PATH_MAX];
	unsigned int i;

	if (strlen(dir) > PATH_MAX - 64)
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/machine", dir);
	if (unlink(path) != 0 && errno != ENOENT)
		return -errno;
	snprintf(path, sizeof(path), "%s/lock", dir);
	unlink(path);
	for (i = 0; i < SIM_MAX_HANDLES; i++) {
		snprintf(path, sizeof(path), "%s/evtchn/%u", dir, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/evtchn", dir);
	rmdir(path);
	rmdir(dir);
	if (dir_set != NULL && strcmp(dir_set, dir) == 0)
		xensim_set_dir(NULL);
	return 0;
}

static void
machine_close(struct sim_machine *m)
{
	uint32_t i;

	for (i = 0; m->fifo != NULL && i < SIM_MAX_HANDLES; i++)
		if (m->fifo[i].fd > 0)
			close(m->fifo[i].fd);
	if (m->h != NULL)
		munmap(m->h, m->size);
	if (m->lock_fd >= 0)
		close(m->lock_fd);
	if (m->fd >= 0)
		close(m->fd);
	pthread_mutex_destroy(&m->fifo_lock);
	free(m->fifo);
	free(m->dir);
	free(m);
}

static int
machine_load(struct sim_machine *m)
{
	struct stat st;

	m->fd = make_file(m->dir, "machine", 0);
	if (m->fd < 0)
		return m->fd;
	m->lock_fd = make_file(m->dir, "lock", 0);
	if (m->lock_fd < 0)
		return m->lock_fd;
	if (fstat(m->fd, &st) != 0)
		return -errno;
	if ((size_t)st.st_size != m->size)
		return -EPROTO;
	m->h = map_sparse(m->fd, m->size);
	if (m->h == NULL)
		return -errno;
	if (sim_load_acquire(&m->h->magic) != SIM_MAGIC)
		return -EPROTO;
	m->frames = (uint8_t *)m->h + header_size();
	return 0;
}

static struct sim_machine *
machine_open(const char *dir)
{
	char path[PATH_MAX];
	struct sim_machine *m;
	int ret;

	snprintf(path, sizeof(path), "%s/machine", dir);
	if (access(path, R_OK | W_OK) != 0) {
		ret = errno;
		sim_complain("%s: no machine there: %s", dir, strerror(ret));
		errno = ret;
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->fd = m->lock_fd = -1;
	m->size = machine_size();
	m->refs = 1;
	pthread_mutex_init(&m->fifo_lock, NULL);
	m->dir = strdup(dir);
	m->fifo = calloc(SIM_MAX_HANDLES, sizeof(*m->fifo));
	ret = m->dir == NULL || m->fifo == NULL ? -ENOMEM : machine_load(m);
	if (ret != 0) {
		sim_complain("%s: cannot use this machine: %s", dir, strerror(-ret));
		machine_close(m);
		errno = -ret;
		return NULL;
	}
	return m;
}

/* One mapping a machine and process, as long as anybody in the process needs it. */
struct sim_machine *
sim_machine_get(void)
{
	struct sim_machine *m;
	const char *dir;

	pthread_mutex_lock(&machines_lock);
	dir = sim_dir();
	if (dir == NULL) {
		pthread_mutex_unlock(&machines_lock);
		sim_complain("XENSIM_DIR is not set: expected the folder of a machine");
		errno = ENODEV;
		return NULL;
	}
	for (m = machines; m != NULL; m = m->next)
		if (strcmp(m->dir, dir) == 0)
			break;
	if (m != NULL) {
		m->refs++;
	} else {
		m = machine_open(dir);
		if (m != NULL) {
			m->next = machines;
			machines = m;
		}
	}
	pthread_mutex_unlock(&machines_lock);
	return m;
}

void
sim_machine_put(struct sim_machine *m)
{
	struct sim_machine **prev;

	pthread_mutex_lock(&machines_lock);
	if (--m->refs == 0) {
		for (prev = &machines; *prev != m; prev = &(*prev)->next)
			;
		*prev = m->next;
		machine_close(m);
	}
	pthread_mutex_unlock(&machines_lock);
}
