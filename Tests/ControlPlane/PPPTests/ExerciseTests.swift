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
        #expect(Self.corpus("ppp").count > 100 && Self.corpus("pppoe").count > 30)
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
        // Started; LCP open; admitted; asking for the address; confirmed; IPCP open; a link that is being closed.
        let lcp: [UInt8] = [0, 3, 1, 12, 0xc0, 0x21, 1, 1, 0, 10, 5, 6, 0, 0, 0, 7]
        let ipcp: [UInt8] = [1, 12, 0x80, 0x21, 1, 1, 0, 10, 3, 6, 100, 64, 0, 9]
        let opening = [
            [], [0], lcp, lcp + [8], lcp + [8] + ipcp, lcp + [8] + ipcp + [11], lcp + [8] + ipcp + [11, 0x13],
            lcp + [14],
        ]
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
