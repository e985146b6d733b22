// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The authors of the KVM vCPU time and attribute series
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "process.h"

/* The fields of /proc/PID/stat are counted from 1; the third one follows the name. */
#define FIELD_STATE	3
#define FIELD_STARTTIME	22

bool task_read_stat(pid_t task, struct task_stat *stat)
{
	char text[1024], *at;

	if (file_read(text, sizeof(text), PROC "/%d/stat", task) <= 0)
		return false;

	/* The name is in parentheses, and may have some of its own. */
	at = strrchr(text, ')');
	if (!at || at[1] != ' ')
		return false;
	at += 2;
	stat->state = *at;
	for (int field = FIELD_STATE; field < FIELD_STARTTIME; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	stat->born = files_from_ticks(strtoull(at, NULL, 10));

	return true;
}

pid_t task_process(pid_t task)
{
	static const char key[] = "\nTgid:";
	char text[4096], *at;

	if (file_read(text, sizeof(text), PROC "/%d/status", task) <= 0)
		return 0;
	at = strstr(text, key);

	return at ? atoi(at + strlen(key)) : 0;
}

bool comm_is_vcpu(const char *comm, unsigned int *id)
{
	static const char * const formats[] = {
		"CPU %u/KVM%n",		/* QEMU, with -name debug-threads=on as libvirt has it */
		"kvm-vcpu-%u%n",	/* kvmtool */
		"fc_vcpu %u%n",		/* Firecracker */
		"vcpu%u%n",		/* Cloud Hypervisor */
		"crosvm_vcpu%u%n",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
		int end = 0;

		if (sscanf(comm, formats[i], id, &end) == 1 && end &&
		    (!comm[end] || comm[end] == '\n'))
			return true;
	}

	return false;
}

/* What is not ASCII, or might move a terminal's cursor, becomes "?". */
static void copy_name(char *name, size_t size, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < size - 1 && from[i]; i++)
		name[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	name[i] = '\0';
}

/* QEMU: "-name [guest=]NAME[,...]"; others: "--id NAME", "--name NAME". */
static bool is_name_option(const char *arg)
{
	return !strcmp(arg, "-name") || !strcmp(arg, "--name") || !strcmp(arg, "--id");
}

void process_vm_name(pid_t pid, char *name, size_t size)
{
	static const char guest[] = "guest=";
	char args[4096];
	ssize_t len = file_read(args, sizeof(args), PROC "/%d/cmdline", pid);

	for (const char *arg = args; arg < args + len; arg += strlen(arg) + 1) {
		if (!is_name_option(arg))
			continue;
		arg += strlen(arg) + 1;
		if (arg >= args + len)
			break;
		if (!strncmp(arg, guest, strlen(guest)))
			arg += strlen(guest);
		copy_name(name, size, arg, strcspn(arg, ","));
		return;
	}

	file_read(args, sizeof(args), PROC "/%d/comm", pid);
	copy_name(name, size, args, strcspn(args, "\n"));
}
