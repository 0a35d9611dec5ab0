# SPDX-License-Identifier: Apache-2.0
"""The canonical encoding and the digests of docs/contract.md, section 6, for any protobuf message: independent of both planes."""

import hashlib
import struct

AGENT_OWNED = {("bng.agent.v1.SessionIPv4", 6), ("bng.agent.v1.SessionIPv6", 2)}


def canon(message):
    out = b""
    for field in sorted(message.DESCRIPTOR.fields, key=lambda f: f.number):
        if (message.DESCRIPTOR.full_name, field.number) in AGENT_OWNED:
            continue
        value = getattr(message, field.name)
        if field.label == field.LABEL_REPEATED:
            values = list(value)
        elif field.message_type is not None:
            values = [value] if message.HasField(field.name) else []
        else:
            values = [value] if value else []
        for v in values:
            if field.message_type is not None:
                raw = canon(v)
            elif isinstance(v, bytes):
                raw = v
            elif isinstance(v, str):
                raw = v.encode()
            else:
                raw = struct.pack(">Q", int(v) & (2**64 - 1))
            out += struct.pack(">II", field.number, len(raw)) + raw
    return out


def digest(obj):
    which = obj.WhichOneof("body")
    family = obj.DESCRIPTOR.fields_by_name[which].number - 10
    raw = struct.pack(">HQQ", family, obj.object_id, obj.generation) + canon(getattr(obj, which))
    return hashlib.sha256(raw).digest()[:16]


def family_digest(objects):
    """Of all objects of one family."""
    total = sum(int.from_bytes(digest(o), "big") for o in objects)
    return (total % 2**128).to_bytes(16, "big")
