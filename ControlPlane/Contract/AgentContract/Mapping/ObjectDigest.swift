// SPDX-License-Identifier: Apache-2.0
// Digests of objects and families (docs/contract.md section 6).

import AgentProto
import BNGCore
import Crypto
import Fleet

/// The first 16 bytes of an object's SHA-256, or the sum of such values modulo 2^128.
public struct ObjectDigest: Hashable, Sendable {
    public var value: UInt128

    public init(_ value: UInt128 = 0) {
        self.value = value
    }

    /// Sixteen bytes, big-endian; nil unless there are sixteen.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.value = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Sixteen bytes, big-endian.
    public var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: self.value >> (120 - 8 * UInt128($0))) }
    }

    /// Adds an object to a family's digest.
    public static func += (sum: inout ObjectDigest, digest: ObjectDigest) { sum.value &+= digest.value }
    /// Takes an object out of a family's digest.
    public static func -= (sum: inout ObjectDigest, digest: ObjectDigest) { sum.value &-= digest.value }
}

extension ObjectDigest {
    /// The digest of an object as the audit compares it. `scratch` is reused between calls.
    public init(_ object: DesiredObject, scratch: inout [UInt8]) {
        scratch.removeAll(keepingCapacity: true)
        scratch.appendBigEndian(object.body.family.rawValue)
        scratch.appendBigEndian(object.id)
        scratch.appendBigEndian(object.generation)
        if case .session(let session) = object.body {
            session.appendCanonical(to: &scratch)
        } else {
            Wire.Object(object).appendCanonicalBody(to: &scratch)
        }
        self.init(hashing: scratch)
    }

    /// The digest of an object.
    public init(_ object: DesiredObject) {
        var scratch: [UInt8] = []
        self.init(object, scratch: &scratch)
    }

    /// The digest of a wire object, by the generic encoding; family 0 without a body.
    public init(_ object: Wire.Object) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt16(object.family?.rawValue ?? 0))
        bytes.appendBigEndian(object.objectID)
        bytes.appendBigEndian(object.generation)
        object.appendCanonicalBody(to: &bytes)
        self.init(hashing: bytes)
    }

    init(hashing bytes: [UInt8]) {
        var value: UInt128 = 0
        SHA256.hash(data: bytes).withUnsafeBytes { hash in
            for i in 0..<16 { value = value << 8 | UInt128(hash[i]) }
        }
        self.value = value
    }
}
