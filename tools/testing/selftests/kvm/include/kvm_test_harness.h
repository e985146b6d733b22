/* SPDX-License-Identifier: GPL-2.0-only */

/* For one that hangs. Others may take long where KVM itself is emulated. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	240
