/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The authors of the KVM vCPU time and attribute series */
/*
 * Threads that wait for a page which is missing, and threads that must not wait for
 * those.  In a header, as the expectations of the test harness are.
 */
#ifndef SELFTEST_KVM_PAGE_WAIT_H
#define SELFTEST_KVM_PAGE_WAIT_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missing_page.h"
#include "kvm_test_harness.h"

/* A thread that waits for a page, and one that does not. */
struct page_wait {
	const char *name;
	const struct missing_page *page;
	/* What the page brings. */
	const void *content;
	size_t size;
	void *(*slow)(void *slow_arg);
	void *slow_arg;
	void *(*quick)(void *quick_arg);
	void *quick_arg;
	/* A kill ends the wait, other signals need not. */
	bool killable;
};

static inline void expect_one_waits(struct __test_metadata *_metadata,
				    const struct page_wait *wait)
{
	pthread_t slow, quick;
	bool ended;

	ASSERT_EQ(0, pthread_create(&slow, NULL, wait->slow, wait->slow_arg));
	ASSERT_TRUE(missing_page_is_wanted(wait->page)) {
		TH_LOG("%s does not access the page", wait->name);
	}
	ASSERT_EQ(0, pthread_create(&quick, NULL, wait->quick, wait->quick_arg));
	ended = thread_ends(quick);
	EXPECT_TRUE(ended) {
		TH_LOG("%s holds up others", wait->name);
	}
	EXPECT_LE(count_uninterruptible(), wait->killable) {
		TH_LOG("%s puts threads into uninterruptible sleep", wait->name);
	}

	missing_page_supply(wait->page, wait->content, wait->size);
	ASSERT_EQ(0, pthread_join(slow, NULL));
	if (!ended)
		ASSERT_EQ(0, pthread_join(quick, NULL));
}

/* @start, in a process of its own, returns when a thread waits for a page. */
static inline void expect_kill_ends_wait(struct __test_metadata *_metadata, const char *name,
					 void (*start)(void))
{
	struct pollfd death = { .events = POLLIN };
	int waiting[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(waiting));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		start();
		TEST_ASSERT_EQ(write(waiting[1], "", 1), 1);
		for (;;)
			pause();
	}
	close(waiting[1]);
	ASSERT_EQ(1, read(waiting[0], &byte, 1)) {
		TH_LOG("%s does not wait", name);
	}
	close(waiting[0]);

	death.fd = syscall(__NR_pidfd_open, child, 0);
	ASSERT_LE(0, death.fd);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(1, poll(&death, 1, PATIENCE_SEC * 1000)) {
		TH_LOG("%s cannot be killed", name);
	}
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	close(death.fd);
}

#endif /* SELFTEST_KVM_PAGE_WAIT_H */
