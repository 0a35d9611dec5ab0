// SPDX-License-Identifier: Apache-2.0
// MD4 (RFC 1320), which MS-CHAPv2 makes of a password and nothing else should.

enum MD4 {
    static let digestCount = 16

    /// The digest of a message of any length.
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var words: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        let padded = Self.padded(message)
        for start in stride(from: 0, to: padded.count, by: 64) {
            let block = (0..<16).map { index in Self.word(padded, at: start + 4 * index) }
            Self.mix(block, into: &words)
        }
        return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
    }

    /// RFC 1320 3.1, 3.2: one bit, zeros, and the length in bits, least byte first.
    private static func padded(_ message: [UInt8]) -> [UInt8] {
        var bytes = message + [0x80]
        bytes += [UInt8](repeating: 0, count: (120 - bytes.count % 64) % 64)
        let bits = UInt64(message.count) * 8
        return bytes + (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
    }

    private static func word(_ bytes: [UInt8], at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32(8 * $1) }
    }

    /// One round: the order in which it reads the block, its shifts, its constant.
    private struct Round {
        var order: [Int]
        var shifts: [UInt32]
        var constant: UInt32
        var function: @Sendable (UInt32, UInt32, UInt32) -> UInt32
    }

    /// RFC 1320 3.4.
    private static let rounds = [
        Round(
            order: Array(0..<16), shifts: [3, 7, 11, 19], constant: 0, function: { x, y, z in x & y | ~x & z }),
        Round(
            order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], shifts: [3, 5, 9, 13],
            constant: 0x5a82_7999, function: { x, y, z in x & y | x & z | y & z }),
        Round(
            order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], shifts: [3, 9, 11, 15],
            constant: 0x6ed9_eba1, function: { x, y, z in x ^ y ^ z }),
    ]

    private static func mix(_ block: [UInt32], into words: inout [UInt32]) {
        var (a, b, c, d) = (words[0], words[1], words[2], words[3])
        for round in Self.rounds {
            for step in 0..<16 {
                let sum = a &+ round.function(b, c, d) &+ block[round.order[step]] &+ round.constant
                let shift = round.shifts[step % 4]
                (a, b, c, d) = (d, sum << shift | sum >> (32 - shift), b, c)
            }
        }
        words = [words[0] &+ a, words[1] &+ b, words[2] &+ c, words[3] &+ d]
    }
}
