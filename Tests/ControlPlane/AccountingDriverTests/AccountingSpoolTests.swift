// SPDX-License-Identifier: Apache-2.0
// The spool between a disk in memory and a server that may be away: nothing lost, nothing doubled, in order.

import AccountingDriver
import BNGCore
import Logging
import NIOCore
import NIOPosix
import Subscribers
import Synchronization
import Testing

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func record(_ sequence: UInt64, of session: UInt64) -> AccountingRecord {
    let facts = LineFacts(
        node: "n", port: "p", accessDomain: 1, sVLAN: 0, cVLAN: 0, mac: MACAddress(rawValue: session))
    return AccountingRecord(
        sequence: sequence, kind: .interim, accountingID: "\(session)", session: session, userName: "u", facts: facts,
        address: .zero, classes: [], at: .zero, sessionStarted: .zero, totals: SessionTotals(), cause: nil, plan: "")
}

/// Rows in memory.
private final class Disk: AccountingStoring {
    let rows: Mutex<[AccountingRecord]>

    init(_ rows: [AccountingRecord] = []) { self.rows = Mutex(rows) }

    func oldestRecords(limit: Int) throws -> [AccountingRecord] { self.rows.withLock { Array($0.prefix(limit)) } }

    func remove(_ sequences: [UInt64], then done: @escaping @Sendable (Bool) -> Void) {
        self.rows.withLock { rows in rows.removeAll { sequences.contains($0.sequence) } }
        done(true)
    }
}

/// A server that answers, or does not.
private final class Server: Sendable {
    struct State {
        var taken: [AccountingRecord] = []
        var isAway = false
        var held: [@Sendable (Bool) -> Void]?
    }

    let state = Mutex(State())

    func take(_ record: AccountingRecord, _ done: @escaping @Sendable (Bool) -> Void) {
        let answer = self.state.withLock { state -> Bool? in
            if state.held != nil {
                state.held?.append(done)
                return nil
            }
            if !state.isAway { state.taken.append(record) }
            return !state.isAway
        }
        if let answer { done(answer) }
    }

    var sequences: [UInt64] { self.state.withLock { $0.taken.map(\.sequence) } }
}

private func eventually(_ condition: () -> Bool) async -> Bool {
    // Long, since a busy machine is slow; asleep meanwhile, so as not to be what keeps it busy.
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition(), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(2)) }
    return condition()
}

struct AccountingSpoolTests {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let server = Server()

    private func spool(_ disk: Disk, limit: Int = 1_000, memory: Int = 100) -> AccountingSpool {
        let server = self.server
        return AccountingSpool(
            loop: self.group.next(), store: disk, backlog: disk.rows.withLock { $0.count }, backlogLimit: limit,
            window: 8, memory: memory, firstRest: .milliseconds(2), logger: quiet
        ) { record, done in server.take(record, done) }
    }

    private func write(_ records: [AccountingRecord], _ disk: Disk, _ spool: AccountingSpool) {
        disk.rows.withLock { $0 += records }
        spool.stored(records)
    }

    @Test func `what a killed process left on disk is delivered before anything new of its session`() async throws {
        let disk = Disk([record(3, of: 7), record(4, of: 8)])
        let spool = self.spool(disk)
        self.write([record(5, of: 7)], disk, spool)
        spool.start()
        #expect(await eventually { disk.rows.withLock { $0.isEmpty } })
        let taken = self.server.sequences
        #expect(taken.sorted() == [3, 4, 5])
        #expect(taken.filter { $0 != 4 } == [3, 5])
        #expect(spool.statistics.backlog == 0 && spool.statistics.delivered == 3)
        await spool.stop()
        try await self.group.shutdownGracefully()
    }

    @Test func `records wait while no server answers, far beyond memory, and then arrive once each, in order`()
        async throws
    {
        let disk = Disk()
        let spool = self.spool(disk, memory: 20)
        self.server.state.withLock { $0.isAway = true }
        spool.start()
        for sequence in 1...300 as ClosedRange<UInt64> {
            self.write([record(sequence, of: sequence % 10)], disk, spool)
        }
        #expect(await eventually { spool.statistics.failed > 2 })
        #expect(disk.rows.withLock { $0.count } == 300)
        self.server.state.withLock { $0.isAway = false }
        #expect(await eventually { disk.rows.withLock { $0.isEmpty } })
        let taken = self.server.sequences
        #expect(taken.count == 300 && Set(taken).count == 300)
        for session in 0..<10 as Range<UInt64> {
            let mine = taken.filter { $0 % 10 == session }
            #expect(mine == mine.sorted())
        }
        await spool.stop()
        try await self.group.shutdownGracefully()
    }

    @Test func `at the bound interim records are refused and counted`() async throws {
        let disk = Disk()
        let spool = self.spool(disk, limit: 2)
        #expect(spool.acceptsInterim())
        self.write([record(1, of: 1), record(2, of: 2)], disk, spool)
        #expect(!spool.acceptsInterim())
        #expect(spool.statistics.isFull && spool.statistics.refusedInterims == 1)
        try await self.group.shutdownGracefully()
    }

    @Test func `a stop waits for what is under way`() async throws {
        let disk = Disk([record(1, of: 1)])
        let spool = self.spool(disk)
        self.server.state.withLock { $0.held = [] }
        spool.start()
        #expect(await eventually { self.server.state.withLock { $0.held?.count == 1 } })
        async let stopped: Void = spool.stop()
        let held = self.server.state.withLock { state in
            defer { state.held = nil }
            return state.held ?? []
        }
        for answer in held { answer(true) }
        await stopped
        #expect(disk.rows.withLock { $0.isEmpty })
        try await self.group.shutdownGracefully()
    }
}
