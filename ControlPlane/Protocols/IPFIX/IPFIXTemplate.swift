// SPDX-License-Identifier: Apache-2.0
// Templates: which information elements a data record holds, in which order.

import BNGCore

/// A template record (RFC 7011 3.4.1).
struct IPFIXTemplate: Equatable, Sendable {
    /// An information element of IANA's registry and its length in octets; 65535 is variable.
    struct Field: Equatable, Sendable {
        var element: UInt16
        var length: UInt16
    }

    /// 256 to 65535.
    var id: UInt16
    var fields: [Field]

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(self.id)
        bytes.appendBigEndian(UInt16(self.fields.count))
        for field in self.fields {
            bytes.appendBigEndian(field.element)
            bytes.appendBigEndian(field.length)
        }
        return bytes
    }
}

extension IPFIXTemplate.Field {
    static let sourceIPv4Address = Self(element: 8, length: 4)
    static let postNATSourceIPv4Address = Self(element: 225, length: 4)
    static let natEvent = Self(element: 230, length: 1)
    static let ingressVRFID = Self(element: 234, length: 4)
    static let natPoolName = Self(element: 284, length: 65_535)
    static let observationTimeMilliseconds = Self(element: 323, length: 8)
    static let portRangeStart = Self(element: 361, length: 2)
    static let portRangeEnd = Self(element: 362, length: 2)
    static let portRangeStepSize = Self(element: 363, length: 2)
    static let portRangeNumPorts = Self(element: 364, length: 2)
    static let userName = Self(element: 371, length: 65_535)
}
