/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XS_THREAD_H
#define XS_THREAD_H

/**
 * @file
 * A connection to xenstore, and the thread that alone uses it: libxenstore waits for answers
 * without end, and an xenstored may live and give none. Whoever asks waits for some seconds, and
 * then leaves the thread to itself. All functions are for the control thread.
 */

#include <stdbool.h>

#include <xenstore.h>

/** Longest path of this domain's backend directory, with the terminating NUL. */
#define XS_ROOT_SIZE 128

struct xs_thread;

/** What is asked of xenstore: the head of a struct from malloc(), as it may outlive who asks. */
struct xs_talk {
	/** Ask, and keep the answer. Called in the thread. */
	void (*run)(struct xs_talk *talk, struct xs_handle *xs);
	/** Free it with the answer. Called in the thread if nobody waits any more. */
	void (*free)(struct xs_talk *talk);
	/** Whose it is: xs_thread_talk() sets it. */
	struct xs_thread *thread;
};

/**
 * Start a thread, which connects and sets a watch on the backend directory of this domain.
 *
 * @return
 *   It, or NULL: there is no memory; one that was left has to end first, as what it was asked may
 *   yet be done, which is waited for half a minute; or too many of them do not end.
 */
struct xs_thread *
xs_thread_start(void);

/** 0: it is connected; -EINPROGRESS: not yet; another negative errno: it cannot connect. */
int
xs_thread_state(const struct xs_thread *thread);

/** Wait some seconds at most for the state to be another than -EINPROGRESS. */
void
xs_thread_wait(const struct xs_thread *thread);

/** The handle, to poll and to take watch events by, which never waits; connected. */
struct xs_handle *
xs_thread_handle(const struct xs_thread *thread);

/** The path of the backend directory that is watched: connected. */
const char *
xs_thread_root(const struct xs_thread *thread);

/**
 * Have something asked by the thread, which is connected.
 *
 * @return
 *   0: it was, for good or ill; or -ETIMEDOUT: xenstore does not answer. Then the talk is the
 *   thread's, and the thread is left.
 */
int
xs_thread_talk(struct xs_thread *thread, struct xs_talk *talk);

/**
 * For a talk's run(), between two requests: an answer has come, for the next one the time begins
 * anew.
 *
 * @return
 *   Whether anybody waits. If not nothing is to be changed any more.
 */
bool
xs_talk_goes_on(const struct xs_talk *talk);

/** Have it disconnect and end, whenever that may be; its handle is not to be used any more. */
void
xs_thread_leave(struct xs_thread *thread);

/** Wait some seconds at most for all that were left to end. */
void
xs_thread_wait_all(void);

#endif /* XS_THREAD_H */
