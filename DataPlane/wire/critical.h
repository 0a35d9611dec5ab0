/* SPDX-License-Identifier: Apache-2.0 */
/* "Understood whole or refused": finds what this version does not know in an enforcement message. */
#ifndef BNG_CRITICAL_H
#define BNG_CRITICAL_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

enum { BNG_FIRST_IGNORABLE_FIELD = 1000, BNG_PATH_SIZE = 40 };

/*
 * 0 if every field 1-999 and enum value at any depth is known. Else -EOPNOTSUPP with the first offender's
 * path in field numbers from message down.
 */
int bng_critical_check(const ProtobufCMessage *message, char ret_path[BNG_PATH_SIZE]);

/* The same of the message's own unknown fields only. */
int bng_critical_check_shallow(const ProtobufCMessage *message, char ret_path[BNG_PATH_SIZE]);

#endif
