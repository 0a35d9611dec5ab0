// SPDX-License-Identifier: Apache-2.0
// Retransmission and liveness, without a clock: time is an argument.

import BNGCore
import RADIUS
import TestVectors
import Testing

@Suite struct ClientTests {
    @Test func `waits double, are bounded, and end`() {
        var generator = SplitMix64(state: 7)
        for _ in 0..<200 {
            var schedule = RetransmissionSchedule(.init(initialMs: 1_000, maximumMs: 4_000, transmissions: 5))
            var waits: [Int64] = []
            while let wait = schedule.sent(using: &generator) { waits.append(wait) }
            #expect(waits.count == 5 && schedule.transmissions == 5)
            #expect((900...1_100).contains(waits[0]))
            #expect((waits[0] * 19 / 10...waits[0] * 22 / 10 + 1).contains(waits[1]))
            #expect(waits.allSatisfy { $0 <= 4_400 })
        }
    }

    @Test func `a schedule of almost no time still waits`() {
        var generator = SplitMix64(state: 7)
        var schedule = RetransmissionSchedule(.init(initialMs: 1, maximumMs: 1, transmissions: 100))
        while let wait = schedule.sent(using: &generator) { #expect(wait >= 1) }
    }

    private struct Bench {
        var machine: ServerLivenessMachine
        var now = ContinuousClock.now

        init(probes: Bool) {
            var settings = ServerLivenessMachine.Settings()
            settings.usesProbes = probes
            self.machine = ServerLivenessMachine(settings, seed: 1)
        }

        mutating func feed(_ event: ServerLivenessMachine.Event, after ms: Int = 0) -> [ServerLivenessMachine.Action] {
            self.now += .milliseconds(ms)
            var buffer = ActionBuffer<ServerLivenessMachine.Action>()
            self.machine.handle(event, at: self.now, into: &buffer)
            return buffer.actions
        }
    }

    @Test func `a server dies of enough waits over enough time, not of either alone`() {
        var bench = Bench(probes: true)
        for _ in 0..<50 { #expect(bench.feed(.unanswered).isEmpty) }
        #expect(bench.machine.isAlive && bench.machine.isDoubtful)
        #expect(bench.feed(.unanswered, after: 3_000).first == .died)
        #expect(!bench.machine.isAlive)
        var slow = Bench(probes: true)
        #expect(slow.feed(.unanswered).isEmpty)
        #expect(slow.feed(.unanswered, after: 60_000).isEmpty)
        #expect(slow.feed(.unanswered, after: 1).first == .died)
    }

    @Test func `one answer in between begins the count anew`() {
        var bench = Bench(probes: true)
        for _ in 0..<20 {
            #expect(bench.feed(.unanswered, after: 2_000).isEmpty)
            #expect(bench.feed(.unanswered, after: 2_000).isEmpty)
            #expect(bench.feed(.answered, after: 1).isEmpty)
        }
        #expect(bench.machine.isAlive)
    }

    @Test func `a dead server is probed until it answers`() throws {
        var bench = Bench(probes: true)
        for _ in 0..<3 { _ = bench.feed(.unanswered, after: 2_000) }
        for _ in 0..<5 {
            let actions = bench.feed(.timerFired(.probe), after: 5_000)
            #expect(actions.first == .sendProbe)
            guard case .startTimer(.probe, let ms) = actions.last else {
                Issue.record("no timer")
                return
            }
            #expect((3_750...6_250).contains(ms))
        }
        #expect(bench.feed(.unanswered).isEmpty)
        #expect(bench.feed(.answered) == [.cancelTimer(.probe), .revived])
        #expect(bench.machine.isAlive)
        #expect(bench.feed(.timerFired(.probe)).isEmpty)
    }

    @Test func `a dead server that cannot be probed is tried again after its time`() {
        var bench = Bench(probes: false)
        _ = bench.feed(.unanswered, after: 2_000)
        _ = bench.feed(.unanswered, after: 2_000)
        #expect(bench.feed(.unanswered, after: 2_000) == [.died, .startTimer(.revival, afterMs: 30_000)])
        #expect(bench.feed(.timerFired(.revival)).last == .revived)
    }
}
