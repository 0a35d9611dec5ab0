#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the RADIUS vectors that no RFC prints: signed packets, computed authenticators, attributes of vendors."""
import hashlib
import hmac
import pathlib
import struct

OUT = pathlib.Path(__file__).resolve().parent.parent / "vectors/radius"
SECRET = "s3cret of a test"
KEY = SECRET.encode()


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def vendor(number, kind, value):
    return attribute(26, struct.pack("!I", number) + attribute(kind, value))


def number(kind, value):
    return attribute(kind, struct.pack("!I", value))


SIGNATURE = attribute(80, bytes(16))


def packet(code, identifier, authenticator, attributes):
    """A packet; a Message-Authenticator of zeros in it is filled in with the authenticator given."""
    data = bytearray(struct.pack("!BBH", code, identifier, 20 + len(attributes)) + authenticator + attributes)
    at = data.find(SIGNATURE, 20)
    if at >= 0:
        data[at + 2:at + 18] = hmac.digest(KEY, bytes(data), "md5")
    return data


def computed(code, identifier, attributes, authenticator=bytes(16)):
    """The authenticator is MD5 over the packet and the secret (RFC 2866 3)."""
    data = packet(code, identifier, authenticator, attributes)
    data[4:20] = hashlib.md5(bytes(data) + KEY).digest()
    return data


def write(name, comment, **fields):
    lines = [f"# {comment}", f"secret: {SECRET}"]
    lines += [f"{key}: {value.hex(' ') if isinstance(value, (bytes, bytearray)) else value}" for key, value in fields.items()]
    (OUT / f"{name}.txt").write_text("\n".join(lines) + "\n")


random = bytes(range(0x10, 0x20))
request = packet(1, 7, random, SIGNATURE + attribute(1, b"02-00-00-00-00-01") + number(6, 2) + number(61, 15)
                 + vendor(3561, 1, b"olt1 1/1/4:100.7") + vendor(3561, 2, b"cpe-4711") + attribute(32, b"edge1"))
accept = (SIGNATURE + attribute(8, bytes([100, 64, 0, 9])) + number(27, 3600) + attribute(11, b"plan:gold") + attribute(25, b"abc")
          + attribute(25, b"def") + attribute(22, b"203.0.113.0/29 0.0.0.0 1") + vendor(14988, 8, b"10M/50M")
          + attribute(26, struct.pack("!I", 311) + attribute(28, bytes([192, 0, 2, 53])) + attribute(29, bytes([192, 0, 2, 54]))))
write("access-signed", "Signed both ways; a Vendor-Specific attribute with two sub-attributes.", packet=request,
      answer=computed(2, 7, accept, random))
everything = (SIGNATURE + attribute(1, b"alice@example") + number(6, 2) + attribute(8, bytes([100, 64, 0, 9])) + number(9, 0xffffff00) + attribute(11, b"plan:gold")
              + attribute(11, b"kids") + attribute(18, b"welcome ") + attribute(18, b"back") + attribute(22, b"203.0.113.0/29 100.64.0.9 1")
              + attribute(24, b"state") + attribute(25, bytes(253)) + number(27, 3600) + number(28, 600) + number(29, 1) + number(62, 2) + number(85, 300)
              + attribute(88, b"spare") + attribute(89, b"customer 4711") + vendor(311, 28, bytes([192, 0, 2, 53])) + vendor(311, 29, bytes([192, 0, 2, 54]))
              + vendor(4874, 4, bytes([192, 0, 2, 55])) + vendor(4874, 5, bytes([192, 0, 2, 53])) + vendor(9, 1, b"sub:qos=1.5M")
              + vendor(14122, 7, struct.pack("!I", 2_000_000)) + vendor(14988, 8, b"10M/50M burst") + attribute(97, bytes(18)))
write("access-everything", "Every attribute that is read into a grant, and one that is not.", packet=request, answer=computed(2, 7, everything, random))
write("status-server", "RFC 5997: a probe and its answer.", packet=packet(12, 9, random, SIGNATURE),
      answer=computed(2, 9, SIGNATURE, random))
stop = (number(40, 2) + attribute(44, b"1-17") + attribute(1, b"alice") + number(42, 4_000_000_000) + number(52, 1) + number(49, 1)
        + number(55, 1_700_000_000) + number(41, 3))
accounting = computed(4, 8, stop)
write("accounting-stop", "RFC 2866 3: the authenticator is computed.", packet=accounting,
      answer=computed(5, 8, b"", bytes(accounting[4:20])), verdict="unsigned")
disconnect = computed(40, 1, SIGNATURE + attribute(44, b"1-17") + number(55, 1_700_000_000) + attribute(33, b"proxy"))
write("disconnect-signed", "RFC 5176 3.4: signed over an authenticator of zeros.", packet=disconnect,
      answer=computed(42, 1, SIGNATURE + number(101, 503) + attribute(33, b"proxy"), bytes(disconnect[4:20])), verdict="signed")
change = computed(43, 2, attribute(44, b"1-17") + number(27, 60) + attribute(11, b"plan:silver"))
write("change-unsigned", "A CoA-Request without Message-Authenticator.", packet=change, verdict="unsigned")
change = computed(43, 4, SIGNATURE + attribute(44, b"1-17") + attribute(1, b"alice@example") + attribute(8, bytes([100, 64, 0, 9]))
                  + attribute(31, b"02-00-00-00-00-01") + attribute(87, b"edge1/access0:100.7") + attribute(32, b"edge1") + attribute(4, bytes([192, 0, 2, 1]))
                  + number(27, 60) + number(28, 0) + number(85, 60) + attribute(11, b"plan:gold") + attribute(11, b"kids") + attribute(25, b"abc")
                  + vendor(14988, 8, b"1M/2M") + number(55, 1_700_000_000) + attribute(24, b"state") + attribute(33, b"proxy") + number(49, 6))
write("change-everything", "Every attribute that names a session or changes one.", packet=change,
      answer=computed(44, 4, SIGNATURE + attribute(24, b"state") + attribute(33, b"proxy"), bytes(change[4:20])), verdict="signed")
broken = bytearray(disconnect)
broken[25] ^= 1
broken[4:20] = bytes(16)
broken[4:20] = hashlib.md5(bytes(broken) + KEY).digest()
write("disconnect-bad-signature", "Right authenticator, wrong Message-Authenticator.", packet=broken, verdict="bad signature")
broken = bytearray(disconnect)
broken[5] ^= 1
write("disconnect-bad-authenticator", "One bit of the authenticator differs.", packet=broken, verdict="bad authenticator")
write("disconnect-two-signatures", "RFC 2869 5.19 allows one.",
      packet=computed(40, 3, SIGNATURE + attribute(44, b"1-17") + attribute(80, bytes(16))), verdict="bad signature")
