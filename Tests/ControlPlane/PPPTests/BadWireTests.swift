// SPDX-License-Identifier: Apache-2.0
// A thousand bad wires: whatever is lost, doubled or overtaken, a link opens or is finished, both sides agree, and no
// timer is left.

import BNGCore
import PPP
import PPPClient
import TestVectors
import Testing

@Suite struct BadWireTests {
    private static let methods: [[PPPAuthentication]] = [[.pap], [.chapMD5], [.msChapV2], []]

    private static func run(_ seed: UInt64, _ wire: Wire) -> LinkBench {
        var bench = LinkBench(Self.methods[Int(seed % 4)], seed: seed)
        bench.wire = wire
        bench.start()
        bench.run()
        // What a data plane does: a client that answers no echo is gone.
        if bench.client.isFinished, !bench.server.isFinished { bench.feed(.linkLost) }
        bench.run()
        return bench
    }

    private static func check(_ bench: LinkBench, _ seed: UInt64) {
        #expect(bench.isOpen != (bench.finished != nil), "seed \(seed): neither open nor finished, or both")
        if bench.isOpen {
            #expect(bench.runningTimers.isEmpty, "seed \(seed): \(bench.runningTimers)")
            #expect(bench.isConfirmed, "seed \(seed): open without a confirmation")
            if bench.client.isOpen {
                #expect(bench.client.address == bench.addresses.peer, "seed \(seed)")
                #expect(bench.client.dns == bench.addresses.dns, "seed \(seed)")
            }
        } else {
            #expect(bench.runningTimers.isEmpty, "seed \(seed): \(bench.runningTimers)")
        }
        #expect(bench.log.count { $0 == .confirm } <= 1, "seed \(seed)")
    }

    @Test func `with a tenth of all frames lost links open, on both sides`() {
        var (opened, agreed) = (0, 0)
        for seed in 0..<1_000 as Range<UInt64> {
            let bench = Self.run(seed, Wire(loss: 0.1))
            Self.check(bench, seed)
            opened += bench.isOpen ? 1 : 0
            agreed += bench.isOpen == bench.client.isOpen ? 1 : 0
        }
        print("ppp: of 1000 links over a wire that loses 10 %, \(opened) opened, \(agreed) alike on both sides")
        #expect(opened >= 995 && agreed >= 995, "opened \(opened), agreed \(agreed)")
    }

    @Test func `with a third of all frames lost and a fifth doubled every link opens or is finished`() {
        var opened = 0
        for seed in 0..<1_000 as Range<UInt64> {
            let bench = Self.run(seed, Wire(loss: 0.33, duplication: 0.2, jitterMs: 50, badUntilMs: 20_000))
            Self.check(bench, seed)
            opened += bench.isOpen ? 1 : 0
        }
        print("ppp: of 1000 links over a wire that loses 33 % and doubles 20 % for 20 s, \(opened) opened")
        #expect(opened >= 950, "opened \(opened)")
    }

    /// A client that sees a Configure-Request of before begins LCP anew, as the RFC says, and the link ends.
    @Test func `with all frames out of order and a tenth doubled every link opens or is finished`() {
        var opened = 0
        for seed in 0..<1_000 as Range<UInt64> {
            let bench = Self.run(seed, Wire(duplication: 0.1, jitterMs: 4_000, badUntilMs: 15_000))
            Self.check(bench, seed)
            opened += bench.isOpen ? 1 : 0
        }
        print("ppp: of 1000 links over a wire that is 0 to 4 s late and doubles 10 % for 15 s, \(opened) opened")
        #expect(opened >= 700, "opened \(opened)")
    }
}
