// SPDX-License-Identifier: Apache-2.0
// The way of accounting records from the disk to a server: many under way while servers answer, one at a time and ever more
// slowly while they do not. A record leaves the disk only when a server has acknowledged it.

import BNGCore
import Logging
import NIOCore
import Subscribers
import Synchronization

/// Where records wait.
public protocol AccountingStoring: Sendable {
    /// The oldest records, ascending. May be slow: called on a thread of its own.
    func oldestRecords(limit: Int) throws -> [AccountingRecord]
    /// Forgets records, then calls `done` on any thread.
    func remove(_ sequences: [UInt64], then done: @escaping @Sendable (Bool) -> Void)
}

/// What the spool has done since the process began.
public struct AccountingStatistics: Sendable, Equatable {
    /// Records on disk that no server has acknowledged.
    public var backlog = 0
    public var inFlight = 0
    public var delivered: UInt64 = 0
    public var failed: UInt64 = 0
    /// Interim records not written because the backlog was at its bound.
    public var refusedInterims: UInt64 = 0
    /// The backlog is at its bound.
    public var isFull = false
}

/// Delivers what is on disk.
public final class AccountingSpool: @unchecked Sendable {
    // `queue` and the fields beside it are confined to `loop`; `counts` has its lock; hence @unchecked.
    public typealias Sender = @Sendable (AccountingRecord, @escaping @Sendable (Bool) -> Void) -> Void

    static let removalBatch = 512

    private let loop: any EventLoop
    private let store: any AccountingStoring
    private let send: Sender
    private let window: Int
    private let firstRest: TimeAmount
    private let backlogLimit: Int
    private let logger: Logger
    private let counts: Mutex<AccountingStatistics>
    private var queue: AccountingQueue
    private var delivered: [UInt64] = []
    private var isRemoving = false
    private var isReading = false
    /// Records that may be under way now: 1 while servers are silent, growing to `window` as they answer.
    private var allowance = 1
    private var failuresInARow = 0
    private var resting = false
    private var isRunning = false
    private var onIdle: (@Sendable () -> Void)?

    /// - Parameters:
    ///   - backlog: records on disk now.
    ///   - backlogLimit: interim records are refused while so many wait; starts and stops never are.
    ///   - window: records under way at once.
    ///   - firstRest: pause after the first record that nobody answered.
    public init(
        loop: any EventLoop, store: any AccountingStoring, backlog: Int, backlogLimit: Int, window: Int = 256,
        memory: Int = 20_000, firstRest: TimeAmount = .seconds(1), logger: Logger, send: @escaping Sender
    ) {
        self.loop = loop
        self.store = store
        self.window = window
        self.firstRest = firstRest
        self.backlogLimit = backlogLimit
        self.logger = logger
        self.send = send
        self.queue = AccountingQueue(memory: memory)
        self.counts = Mutex(AccountingStatistics(backlog: backlog))
    }

    public var statistics: AccountingStatistics { self.counts.withLock { $0 } }

    public func start() {
        self.loop.execute {
            self.isRunning = true
            self.pump()
        }
    }

    /// Sends nothing more; what is under way is waited for up to the limit.
    public func stop(within limit: TimeAmount = .seconds(3)) async {
        let promise = self.loop.makePromise(of: Void.self)
        self.loop.execute {
            self.isRunning = false
            let answered = NIOLoopBoundBox(false, eventLoop: self.loop)
            let finish: @Sendable () -> Void = {
                guard !answered.value else { return }
                answered.value = true
                promise.succeed(())
            }
            self.onIdle = finish
            self.loop.scheduleTask(in: limit) { finish() }
            self.finishIfIdle()
        }
        try? await promise.futureResult.get()
    }

    // MARK: Input

    /// Whether an interim record may be written now; counts the refusal.
    public func acceptsInterim() -> Bool {
        self.counts.withLock { counts in
            let accepts = counts.backlog < self.backlogLimit
            if !accepts { counts.refusedInterims += 1 }
            return accepts
        }
    }

    /// These records are on disk now.
    public func stored(_ records: [AccountingRecord]) {
        let becameFull = self.counts.withLock { counts -> Bool in
            let before = counts.backlog
            counts.backlog += records.count
            counts.isFull = counts.backlog >= self.backlogLimit
            return before < self.backlogLimit && counts.isFull
        }
        if becameFull {
            self.logger.critical(
                "the accounting spool is at its bound: interim records are not written any more",
                metadata: ["limit": "\(self.backlogLimit)"])
        }
        self.loop.execute {
            for record in records { self.queue.add(record) }
            self.pump()
        }
    }

    // MARK: Sending

    private func pump() {
        guard self.isRunning else { return }
        self.readDisk()
        while !self.resting, self.queue.flying < self.allowance, let record = self.queue.next() {
            self.send(record) { delivered in
                self.loop.execute { self.answered(record, delivered) }
            }
        }
        let flying = self.queue.flying
        self.counts.withLock { $0.inFlight = flying }
    }

    private func answered(_ record: AccountingRecord, _ isDelivered: Bool) {
        self.queue.answered(record.sequence, delivered: isDelivered)
        self.counts.withLock { counts in
            if isDelivered { counts.delivered += 1 } else { counts.failed += 1 }
        }
        if isDelivered {
            if self.failuresInARow > 0 { self.logger.notice("accounting goes on") }
            self.failuresInARow = 0
            self.allowance = min(self.window, self.allowance * 2)
            self.delivered.append(record.sequence)
            self.removeDelivered()
        } else {
            self.rest()
        }
        self.pump()
        self.finishIfIdle()
    }

    /// Nobody answered: a pause, twice as long each time, at most thirty times the first.
    private func rest() {
        self.allowance = 1
        guard !self.resting else { return }
        if self.failuresInARow == 0 {
            self.logger.warning("no accounting server answers; records wait on disk")
        }
        self.failuresInARow += 1
        self.resting = true
        let factor = Int64(min(30, 1 << min(self.failuresInARow - 1, 5)))
        let jitter = Int64.random(in: 0...(self.firstRest.nanoseconds / 4))
        self.loop.scheduleTask(in: .nanoseconds(factor * self.firstRest.nanoseconds + jitter)) {
            self.resting = false
            self.pump()
        }
    }

    // MARK: Disk

    private func removeDelivered() {
        guard !self.isRemoving, !self.delivered.isEmpty else { return }
        self.isRemoving = true
        let batch = Array(self.delivered.prefix(Self.removalBatch))
        self.delivered.removeFirst(batch.count)
        self.store.remove(batch) { removed in
            self.loop.execute {
                self.isRemoving = false
                if removed {
                    self.queue.removed(batch)
                    self.forgetRemoved(batch.count)
                } else {
                    // Still on disk, and known here: removed with the next batch.
                    self.delivered.insert(contentsOf: batch, at: 0)
                    self.loop.scheduleTask(in: .seconds(1)) { self.removeDelivered() }
                    return
                }
                self.removeDelivered()
                self.pump()
                self.finishIfIdle()
            }
        }
    }

    private func forgetRemoved(_ count: Int) {
        self.counts.withLock { counts in
            counts.backlog = max(0, counts.backlog - count)
            counts.isFull = counts.backlog >= self.backlogLimit
        }
    }

    private func readDisk() {
        guard self.queue.wantsDisk, !self.isReading else { return }
        self.isReading = true
        let limit = self.queue.diskPage
        let store = self.store
        Task {
            let result = Result { try store.oldestRecords(limit: limit) }
            self.loop.execute {
                self.isReading = false
                self.took(result, limit)
            }
        }
    }

    private func took(_ result: Result<[AccountingRecord], any Error>, _ limit: Int) {
        switch result {
        case .success(let records):
            self.queue.read(records, isAll: records.count < limit)
            self.pump()
        case .failure(let error):
            self.logger.error("the accounting spool cannot be read", metadata: ["error": "\(error)"])
            self.loop.scheduleTask(in: .seconds(5)) { self.pump() }
        }
    }

    private func finishIfIdle() {
        guard !self.isRunning, self.queue.flying == 0, self.delivered.isEmpty, !self.isRemoving else { return }
        self.onIdle?()
        self.onIdle = nil
    }
}
