// SPDX-License-Identifier: Apache-2.0
// The vectors as packets with their secrets.

import BNGCore
import RADIUS
import TestVectors

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
