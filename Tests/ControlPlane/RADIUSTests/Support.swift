// SPDX-License-Identifier: Apache-2.0
// The vectors, and digests by swift-crypto.

import BNGCore
import Crypto
import RADIUS
import TestVectors

struct TestDigests: MessageDigests {
    func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

    func hmacMD5(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<Insecure.MD5>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
    }
}

struct PacketVector: Sendable, CustomStringConvertible {
    var name: String
    var secret: RADIUSSecret
    var packet: [UInt8]
    var answer: [UInt8]?
    var password: [UInt8]?
    var verdict: String?

    var description: String { self.name }

    static let all: [PacketVector] = VectorFile.load("radius").compactMap { file in
        guard let packet = file.bytes("packet"), let secret = file["secret"] else { return nil }
        return PacketVector(
            name: file.name, secret: RADIUSSecret(Array(secret.utf8), digests: TestDigests()), packet: packet,
            answer: file.bytes("answer"), password: file["password"].map { Array($0.utf8) }, verdict: file["verdict"])
    }

    /// Every packet of every vector.
    static let packets: [[UInt8]] = Self.all.flatMap { [$0.packet] + ($0.answer.map { [$0] } ?? []) }
}
