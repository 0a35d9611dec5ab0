// SPDX-License-Identifier: Apache-2.0
// The digests pure protocols need: a driver brings a cryptographic library that computes them.

/// MD5 in the two shapes RADIUS uses it. It proves who sent a packet and nothing else; nothing is kept secret by it.
public protocol MessageDigests: Sendable {
    /// RFC 1321; 16 bytes.
    func md5(_ bytes: [UInt8]) -> [UInt8]
    /// RFC 2104 over MD5; 16 bytes.
    func hmacMD5(key: [UInt8], _ bytes: [UInt8]) -> [UInt8]
}

/// Whether two byte strings are equal, in a time that tells nothing of where they differ.
public func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
}
