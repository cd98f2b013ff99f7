/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_common.h>

#include "xen_compat.h"
#include "xen_store.h"
#include "xs_thread.h"

/* How long an answer is waited for, and all of a talk's. */
#define HANG_MS 2000
#define TALK_MS 30000
/* How long a thread that was left is waited for before there is another one. */
#define LEFT_MS 30000
/* So much at most of the time between two looks counts: who did not run has had no answer. */
#define NAP_MS 50
/* One that works, and those that hang: what another one would wait for they do already. */
#define THREADS_MAX 8

struct xs_thread {
	int state;
	bool left;
	/* Counts answers. */
	unsigned int answers;
	/* To be run, or running. */
	struct xs_talk *talk;
	struct xs_handle *xs;
	char root[XS_ROOT_SIZE];
};

/* Of all threads: one may outlive whoever started it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn;
static unsigned int nb_threads;
/* When one was left at last. */
static uint64_t left_ms;

RTE_INIT(xs_thread_init)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&turn, &attr);
	pthread_condattr_destroy(&attr);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Sleep until something has changed, or for a nap; what of that counts. With the lock. */
static uint64_t
nap(void)
{
	uint64_t begin = now_ms(), end = begin + NAP_MS;
	struct timespec ts = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };

	pthread_cond_timedwait(&turn, &lock, &ts);
	return RTE_MIN(now_ms() - begin, (uint64_t)NAP_MS);
}

static int
connect_store(struct xs_thread *thread)
{
	char *domid;

	thread->xs = xs_open(xen_store_open_flags());
	if (thread->xs == NULL)
		return -errno;
	domid = xs_read(thread->xs, XBT_NULL, "domid", NULL);
	if (domid == NULL)
		return -errno;
	snprintf(thread->root, sizeof(thread->root), "/local/domain/%s/backend/vif", domid);
	free(domid);
	/* The watch's first event asks for everything. */
	return xs_watch(thread->xs, thread->root, "vifs") ? 0 : -errno;
}

static void
end_thread(struct xs_thread *thread)
{
	if (thread->xs != NULL)
		xs_close(thread->xs);
	free(thread);
	pthread_mutex_lock(&lock);
	nb_threads--;
	pthread_cond_broadcast(&turn);
	pthread_mutex_unlock(&lock);
}

/* With the lock, but not while xenstore is asked. */
static void
run_talk(struct xs_thread *thread)
{
	struct xs_talk *talk = thread->talk;

	pthread_mutex_unlock(&lock);
	talk->run(talk, thread->xs);
	pthread_mutex_lock(&lock);
	thread->talk = NULL;
	if (thread->left)
		talk->free(talk);
	pthread_cond_broadcast(&turn);
}

static XEN_THREAD_RESULT
run(void *arg)
{
	struct xs_thread *thread = arg;
	int ret = connect_store(thread);

	pthread_mutex_lock(&lock);
	thread->state = ret;
	pthread_cond_broadcast(&turn);
	while (!thread->left) {
		if (thread->talk != NULL)
			run_talk(thread);
		else
			pthread_cond_wait(&turn, &lock);
	}
	if (thread->talk != NULL)
		thread->talk->free(thread->talk);
	pthread_mutex_unlock(&lock);
	end_thread(thread);
	return 0;
}

struct xs_thread *
xs_thread_start(void)
{
	struct xs_thread *thread = calloc(1, sizeof(*thread));
	unsigned int nb = 0;
	pthread_t id;

	if (thread == NULL)
		return NULL;
	thread->state = -EINPROGRESS;
	pthread_mutex_lock(&lock);
	if (nb_threads == 0 || (nb_threads < THREADS_MAX && now_ms() - left_ms >= LEFT_MS))
		nb = ++nb_threads;
	pthread_mutex_unlock(&lock);
	if (nb == 0)
		goto fail;
	if (xen_thread_create(&id, "vsw-xenstore", run, thread) != 0)
		goto fail_count;
	xen_thread_detach(id);
	return thread;

fail_count:
	pthread_mutex_lock(&lock);
	nb_threads--;
	pthread_mutex_unlock(&lock);
fail:
	free(thread);
	return NULL;
}

int
xs_thread_state(const struct xs_thread *thread)
{
	int state;

	pthread_mutex_lock(&lock);
	state = thread->state;
	pthread_mutex_unlock(&lock);
	return state;
}

void
xs_thread_wait(const struct xs_thread *thread)
{
	uint64_t waited = 0;

	pthread_mutex_lock(&lock);
	while (thread->state == -EINPROGRESS && waited < HANG_MS)
		waited += nap();
	pthread_mutex_unlock(&lock);
}

struct xs_handle *
xs_thread_handle(const struct xs_thread *thread)
{
	return thread->xs;
}

const char *
xs_thread_root(const struct xs_thread *thread)
{
	return thread->root;
}

bool
xs_talk_goes_on(const struct xs_talk *talk)
{
	bool left;

	pthread_mutex_lock(&lock);
	talk->thread->answers++;
	left = talk->thread->left;
	pthread_mutex_unlock(&lock);
	return !left;
}

/* With the lock. The thread may have ended when that is given back. */
static void
leave(struct xs_thread *thread)
{
	thread->left = true;
	left_ms = now_ms();
	pthread_cond_broadcast(&turn);
}

int
xs_thread_talk(struct xs_thread *thread, struct xs_talk *talk)
{
	uint64_t waited = 0, all = 0, slept;
	unsigned int answers;
	bool left;

	pthread_mutex_lock(&lock);
	talk->thread = thread;
	thread->talk = talk;
	pthread_cond_broadcast(&turn);
	while (thread->talk != NULL && waited < HANG_MS && all < TALK_MS) {
		answers = thread->answers;
		slept = nap();
		all += slept;
		waited = thread->answers == answers ? waited + slept : 0;
	}
	left = thread->talk != NULL;
	if (left)
		leave(thread);
	pthread_mutex_unlock(&lock);
	return left ? -ETIMEDOUT : 0;
}

void
xs_thread_leave(struct xs_thread *thread)
{
	pthread_mutex_lock(&lock);
	leave(thread);
	pthread_mutex_unlock(&lock);
}

void
xs_thread_wait_all(void)
{
	uint64_t waited = 0;

	pthread_mutex_lock(&lock);
	while (nb_threads > 0 && waited < HANG_MS)
		waited += nap();
	pthread_mutex_unlock(&lock);
}
