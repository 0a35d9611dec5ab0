/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the fields of any protobuf-c message by its descriptor. */
#ifndef BNG_FIELD_H
#define BNG_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Elements of a field: all of a repeated one; 1 or 0 of a message or oneof member present or not; 1 of a
 * plain scalar. */
size_t bng_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Address of element i, of the C type protobuf-c uses for the field. */
const void *bng_field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t i);

/* The value of an integer, enum, bool or fixed element, sign-extended. */
uint64_t bng_field_integer(const ProtobufCFieldDescriptor *field, const void *element);

#endif
