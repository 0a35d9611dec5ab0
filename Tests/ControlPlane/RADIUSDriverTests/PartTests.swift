// SPDX-License-Identifier: Apache-2.0
// Places, times and memories, each alone.

import NIOCore
import RADIUS
import TestVectors
import Testing

@testable import RADIUSDriver

@Suite struct PartTests {
    @Test func `the place that was free for longest is taken first, and never one of a lost lane`() {
        var places = PlaceQueue()
        let first = places.addLane()
        var taken: [RequestPlace] = []
        while let place = places.take() { taken.append(place) }
        #expect(taken.count == 256 && Set(taken).count == 256)
        places.giveBack(taken[7])
        places.giveBack(taken[3])
        #expect(places.take() == taken[7])
        let second = places.addLane()
        #expect(second != first)
        places.removeLane(first)
        places.giveBack(taken[9])
        var rest: [RequestPlace] = []
        while let place = places.take() { rest.append(place) }
        #expect(rest.count == 256 && rest.allSatisfy { $0.lane == second })
    }

    @Test func `quantiles are right within a quarter of a power of two`() throws {
        var estimate = LatencyEstimate()
        #expect(estimate.quantile(500) == nil)
        for value in UInt64(1)...1_000 { estimate.add(microseconds: value) }
        #expect((500...640).contains(try #require(estimate.quantile(500))))
        #expect((990...1_280).contains(try #require(estimate.quantile(990))))
        var generator = SplitMix64(state: 3)
        for _ in 0..<100_000 {
            estimate.add(microseconds: generator.next() >> UInt64.random(in: 0...63, using: &generator))
        }
        for share in [UInt32(1), 500, 999, 1_000] { #expect(estimate.quantile(share) != nil) }
        var one = LatencyEstimate()
        for value in [UInt64(0), 1, 3, 4, 7, 8, 1_000_000, .max] {
            one = LatencyEstimate()
            one.add(microseconds: value)
            #expect(try #require(one.quantile(990)) >= value)
        }
    }

    @Test func `a request is remembered until its end, its answer for less`() {
        let authenticator = RADIUSAuthenticator([UInt8](1...16)) ?? .zero
        let key = RequestMemory.Key(client: 0, authenticator: authenticator)
        let now = NIODeadline.now()
        var memory = RequestMemory()
        memory.begin(key, until: now + .seconds(600))
        guard case .working = memory[key] else { return #expect(Bool(false), "forgotten") }
        memory.answered(key, [1], until: now + .seconds(30))
        memory.expire(now + .seconds(29))
        guard case .answered(let bytes) = memory[key], bytes == [1] else { return #expect(Bool(false), "no answer") }
        memory.expire(now + .seconds(31))
        guard case .spent = memory[key] else { return #expect(Bool(false), "not spent") }
        memory.expire(now + .seconds(601))
        #expect(memory[key] == nil && memory.count == 0)
    }
}
