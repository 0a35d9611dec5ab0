// SPDX-License-Identifier: Apache-2.0
// Packets of the vectors and of the fuzzer's corpus, every single-byte change of them included, taken the whole way.

import BNGCore
import Foundation
import RADIUSExercise
import TestVectors
import Testing

@Suite struct ExerciseTests {
    private static let corpus: [[UInt8]] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../fuzz/corpus/radius.hex").standardizedFileURL
        let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.compactMap { bytes(hexadecimal: String($0)) }
    }()
    private static let vectors = VectorFile.load("radius").flatMap { file in
        ["packet", "answer"].compactMap { file.bytes($0) }
    }

    @Test func `keeps every promise for what the fuzzer has found`() {
        #expect(Self.corpus.count > 100)
        let exercise = RADIUSExercise()
        for bytes in Self.corpus { #expect(exercise.problem(with: bytes) == nil) }
    }

    @Test func `keeps every promise for any single byte that is changed, and any prefix`() {
        let exercise = RADIUSExercise()
        for packet in Self.vectors {
            for index in packet.indices {
                for difference: UInt8 in [1, 0xff] {
                    var changed = packet
                    changed[index] ^= difference
                    #expect(exercise.problem(with: changed) == nil)
                }
                #expect(exercise.problem(with: Array(packet.prefix(index))) == nil)
            }
        }
    }
}
