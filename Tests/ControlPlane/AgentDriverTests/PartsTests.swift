// SPDX-License-Identifier: Apache-2.0
// The pure parts of the driver: credits, the send queue, the window of events.

import BNGCore
import Fleet
import TestVectors
import Testing

@testable import AgentDriver

@Suite struct PartsTests {
    @Test func `granted and processed credits together never exceed the limit`() {
        var random = SplitMix64(state: 1)
        var ledger = CreditLedger(limit: 100)
        for _ in 0..<10_000 {
            switch UInt64.random(in: 0..<4, using: &random) {
            case 0: _ = ledger.grant()
            case 1: _ = ledger.received(Int.random(in: 0..<30, using: &random))
            case 2: ledger.processed(Int.random(in: 0..<30, using: &random))
            default: if Bool.random(using: &random) { ledger.laneOpened() }
            }
            #expect(ledger.granted + ledger.inProcess <= 100)
            #expect(ledger.granted >= 0 && ledger.inProcess >= 0)
        }
    }

    @Test func `a waiting upsert is in the queue once and keeps its place`() {
        var queue = SendQueue()
        let (a, b) = (ObjectKey(.session, 1), ObjectKey(.session, 2))
        queue.append(.upsert(a))
        queue.append(.delete(b))
        queue.append(.upsert(a))
        queue.prepend([.upsert(b), .upsert(a)])
        var order: [SendItem] = []
        while let item = queue.pop() { order.append(item) }
        #expect(order == [.upsert(b), .upsert(a), .delete(b)])
    }

    @Test func `events are acknowledged only as far as every earlier one is durable`() {
        var window = EventWindow()
        let first = window.received(through: 10)
        let second = window.received(through: 20)
        #expect(window.durable(second) == nil)
        #expect(window.durable(first) == 20)
        #expect(window.durable(first) == nil)
        _ = window.received(through: 30)
        window.laneOpened()
        let again = window.received(through: 25)
        #expect(window.durable(again) == 25)
    }

    @Test func `a certificate without names, or cut short, names nobody`() {
        #expect(!(PeerCertificate(der: [])?.names("edge1") ?? false))
        #expect(!(PeerCertificate(der: [0x30, 0x82, 0xff, 0xff])?.names("edge1") ?? false))
        #expect(!(PeerCertificate(der: [0x30, 0x80])?.names("") ?? false))
    }
}
