// SPDX-License-Identifier: Apache-2.0
// Vectors, the fuzzer's corpus and random lists of events, taken the whole way through a server machine.

import BNGCore
import Foundation
import PPPExercise
import TestVectors
import Testing

@Suite struct ExerciseTests {
    private static func corpus(_ name: String) -> [[UInt8]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../fuzz/corpus/\(name).hex").standardizedFileURL
        let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.compactMap { bytes(hexadecimal: String($0)) }
    }

    @Test func `keeps every promise for what the fuzzer has found`() {
        for bytes in Self.corpus("ppp") { #expect(PPPExercise.problem(with: bytes) == nil) }
        let discovery = PPPoEExercise()
        for bytes in Self.corpus("pppoe") { #expect(discovery.problem(with: bytes) == nil) }
    }

    @Test func `keeps every promise for any vector in any place of a conversation`() {
        let frames = VectorFile.load("ppp").flatMap { file in
            (file.all("frame") + file.all("malformed")).compactMap {
                bytes(hexadecimal: $0.filter { !$0.isWhitespace })
            }
        }
        #expect(frames.count > 30)
        let opening: [[UInt8]] = [[], [0], [0, 3], [0, 3, 8], [0, 3, 8, 0x13, 11], [8, 8, 8]]
        for configuration in 0...63 as ClosedRange<UInt8> {
            for start in opening {
                for frame in frames {
                    let event = [1, UInt8(frame.count)] + frame
                    #expect(PPPExercise.problem(with: [configuration] + start + event + event + [0x07]) == nil)
                }
            }
        }
    }

    @Test func `keeps every promise for random lists of events`() {
        var generator = SplitMix64(state: 0x5eed)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            let data = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(PPPExercise.problem(with: data) == nil, "\(data)")
        }
    }
}
