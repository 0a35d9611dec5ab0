// SPDX-License-Identifier: Apache-2.0
// The order of accounting records: by session strictly, between sessions not; nothing lost or doubled between disk and memory.

import BNGCore
import Subscribers
import TestVectors
import Testing

private func record(_ sequence: UInt64, of session: UInt64) -> AccountingRecord {
    let facts = LineFacts(
        node: "n", port: "p", accessDomain: 1, sVLAN: 0, cVLAN: 0, mac: MACAddress(rawValue: session))
    return AccountingRecord(
        sequence: sequence, kind: .interim, accountingID: "\(session)", session: session, userName: "u", facts: facts,
        address: .zero, classes: [], at: .zero, sessionStarted: .zero, totals: SessionTotals(), cause: nil, plan: "")
}

struct AccountingQueueTests {
    private func ready(_ memory: Int = 100) -> AccountingQueue {
        var queue = AccountingQueue(memory: memory)
        queue.read([], isAll: true)
        return queue
    }

    @Test func `records of one session wait for each other, those of others do not`() {
        var queue = self.ready()
        for (sequence, session) in [(1, 7), (2, 7), (3, 8), (4, 7)] as [(UInt64, UInt64)] {
            queue.add(record(sequence, of: session))
        }
        #expect(queue.next()?.sequence == 1)
        #expect(queue.next()?.sequence == 3)
        #expect(queue.next() == nil)
        queue.answered(1, delivered: true)
        #expect(queue.next()?.sequence == 2)
        queue.answered(2, delivered: true)
        #expect(queue.next()?.sequence == 4)
        queue.answered(3, delivered: true)
        queue.answered(4, delivered: true)
        #expect(queue.count == 0 && queue.flying == 0)
    }

    @Test func `a record nobody took is first in turn, and its session does not overtake it`() {
        var queue = self.ready()
        queue.add(record(1, of: 7))
        queue.add(record(2, of: 7))
        queue.add(record(3, of: 8))
        _ = queue.next()
        queue.answered(1, delivered: false)
        #expect(queue.next()?.sequence == 1)
        #expect(queue.next()?.sequence == 3)
        #expect(queue.next() == nil)
    }

    @Test func `nothing is sent before the disk has been read, and then nothing twice`() {
        var queue = AccountingQueue(memory: 100)
        queue.add(record(5, of: 7))
        #expect(queue.next() == nil && queue.wantsDisk)
        queue.read([record(4, of: 7), record(5, of: 7)], isAll: true)
        queue.add(record(5, of: 7))
        #expect(queue.next()?.sequence == 4)
        queue.answered(4, delivered: true)
        #expect(queue.next()?.sequence == 5)
        queue.answered(5, delivered: true)
        #expect(queue.next() == nil)
        queue.removed([4, 5])
    }

    @Test func `Accounting-On waits for all before it, and all after it wait for it`() {
        var queue = self.ready()
        for (sequence, session) in [(1, 7), (2, 7), (3, 0), (4, 8), (5, 0), (6, 9)] as [(UInt64, UInt64)] {
            queue.add(record(sequence, of: session))
        }
        var order: [UInt64] = []
        while let next = queue.next() {
            #expect(queue.next() == nil, "something goes beside \(next.sequence)")
            // Each is tried twice: a record nobody answered keeps its place.
            queue.answered(next.sequence, delivered: false)
            #expect(queue.next()?.sequence == next.sequence)
            queue.answered(next.sequence, delivered: true)
            order.append(next.sequence)
        }
        #expect(order == [1, 2, 3, 4, 5, 6])
    }

    @Test func `any interleaving of disk, memory and failures delivers each record once, in its session's order`() {
        var random = SplitMix64(state: 42)
        for _ in 0..<200 {
            var queue = AccountingQueue(memory: Int(random.next() % 8) + 2)
            var disk: [AccountingRecord] = []
            var flying: [AccountingRecord] = []
            var delivered: [AccountingRecord] = []
            var next: UInt64 = 1
            while delivered.count < 60 {
                switch random.next() % 5 {
                case 0 where next <= 60:
                    let new = record(next, of: random.next() % 4)
                    next += 1
                    disk.append(new)
                    queue.add(new)
                case 1:
                    if queue.wantsDisk {
                        let page = queue.diskPage
                        queue.read(Array(disk.prefix(page)), isAll: disk.count < page)
                    }
                case 2: if let record = queue.next() { flying.append(record) }
                case 3:
                    guard !flying.isEmpty else { continue }
                    let record = flying.remove(at: Int(random.next() % UInt64(flying.count)))
                    let ok = random.next() % 4 != 0
                    queue.answered(record.sequence, delivered: ok)
                    if ok { delivered.append(record) }
                default:
                    let gone = delivered.map(\.sequence).filter { sequence in disk.contains { $0.sequence == sequence }
                    }
                    disk.removeAll { gone.contains($0.sequence) }
                    queue.removed(gone)
                }
            }
            #expect(Set(delivered.map(\.sequence)).count == 60)
            for session in 0..<4 as Range<UInt64> {
                let mine = delivered.filter { $0.session == session }.map(\.sequence)
                #expect(mine == mine.sorted())
            }
        }
    }
}
