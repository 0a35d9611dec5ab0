// SPDX-License-Identifier: Apache-2.0
// The durable memory of a controller: SQLite in WAL mode, one writing thread, group commit. Whatever a completion has been
// called for with success survives a kill; with synchronous FULL also a power cut.

import BNGCore
import Fleet
import Foundation
import GRDB
import Logging
import Subscribers
import Synchronization

/// An open database.
public final class Store: Sendable {
    /// How hard a commit is.
    public enum Synchronous: String, Sendable {
        /// On the platters before a completion is called.
        case full = "FULL"
        /// Survives a kill of the process; a power cut may lose the last moments.
        case normal = "NORMAL"
    }

    private struct Submission: Sendable {
        var operations: [StoreOperation]
        var then: @Sendable (Result<Void, StoreError>) -> Void
    }

    private struct Pending: Sendable {
        var submissions: [Submission] = []
        var closed = false
    }

    /// Submissions put into one transaction at most.
    static let batchLimit = 2_048

    private let database: DatabasePool
    private let logger: Logger
    private let groupDelay: TimeInterval
    /// What the NAT log says of when blocks were granted and returned.
    private let utcNow: @Sendable () -> UTCTime
    private let pending = Mutex(Pending())
    private let wake = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private let statistics = Mutex(StoreStatistics())
    /// Told after a transaction that may have written NAT records; nil: none are kept.
    let natRecordWatcher = Mutex<(@Sendable () -> Void)?>(nil)

    /// Opens or creates the database and brings it to the newest schema.
    /// - Parameter groupDelayMs: how long a transaction waits for more while several callers are busy; 0-5.
    public convenience init(
        path: String, synchronous: Synchronous = .full, groupDelayMs: Int = 1, logger: Logger
    ) throws(StoreError) {
        try self.init(
            path: path, synchronous: synchronous, groupDelayMs: groupDelayMs, logger: logger,
            migrations: StoreSchema.migrations, utcNow: Self.clock)
    }

    init(
        path: String, synchronous: Synchronous, groupDelayMs: Int, logger: Logger, migrations: [StoreMigration],
        utcNow: @escaping @Sendable () -> UTCTime = Store.clock
    ) throws(StoreError) {
        self.utcNow = utcNow
        self.logger = logger
        self.groupDelay = Double(min(max(groupDelayMs, 0), 5)) / 1_000
        var configuration = Configuration()
        configuration.label = "bng-store"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = \(synchronous.rawValue)")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
            try db.execute(sql: "PRAGMA foreign_keys = ON")
        }
        do {
            self.database = try DatabasePool(path: path, configuration: configuration)
            // It holds who had which address when.
            chmod(path, 0o600)
            if let backup = try StoreSchema.migrate(self.database, path: path, with: migrations) {
                logger.notice("database migrated", metadata: ["backup": "\(backup)"])
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .database("\(path): \(error)")
        }
        let thread = Thread { [self] in self.commitUntilClosed() }
        thread.name = "bng-store"
        thread.start()
    }

    static let clock: @Sendable () -> UTCTime = {
        UTCTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    }

    // MARK: Writing

    /// Makes the operations durable, in order of submission. `then` is called once, on the store's thread: hop and return.
    public func submit(
        _ operations: [StoreOperation], then: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        // How many wait, this one included; nil when closed. Asked once: what was accepted is answered by the store's thread alone.
        let waiting: Int? = self.pending.withLock { pending in
            guard !pending.closed else { return nil }
            pending.submissions.append(Submission(operations: operations, then: then))
            return pending.submissions.count
        }
        guard let waiting else { return then(.failure(.closed)) }
        if waiting == 1 { self.wake.signal() }
    }

    /// Makes the operations durable and returns then. For start-up and tests, not for event loops.
    public func submit(_ operations: [StoreOperation]) async throws(StoreError) {
        let result = await withCheckedContinuation { continuation in
            self.submit(operations) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// Commits what was submitted, then closes the file.
    public func close() {
        let wasClosed = self.pending.withLock { pending in
            defer { pending.closed = true }
            return pending.closed
        }
        guard !wasClosed else { return }
        self.wake.signal()
        self.finished.wait()
        do { try self.database.close() } catch { self.logger.error("closing", metadata: ["error": "\(error)"]) }
    }

    private func commitUntilClosed() {
        var busy = false
        while true {
            self.wake.wait()
            // Company in the last transaction promises company in this one; a lone caller is not made to wait.
            if busy, self.groupDelay > 0 { Thread.sleep(forTimeInterval: self.groupDelay) }
            let (batch, closed) = self.pending.withLock { pending in
                let batch = pending.submissions
                pending.submissions = []
                return (batch, pending.closed)
            }
            for start in stride(from: 0, to: batch.count, by: Self.batchLimit) {
                self.commit(batch[start..<min(start + Self.batchLimit, batch.count)])
            }
            busy = batch.count > 1
            if closed { break }
        }
        self.finished.signal()
    }

    private func commit(_ batch: ArraySlice<Submission>) {
        let start = DispatchTime.now().uptimeNanoseconds
        let now = self.utcNow()
        var results: [Result<Void, StoreError>]
        do {
            try self.database.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for submission in batch {
                        for operation in submission.operations { try db.perform(operation, at: now) }
                    }
                    return .commit
                }
            }
            results = batch.map { _ in .success(()) }
        } catch {
            results = self.commitOneByOne(batch, now)
        }
        let nanoseconds = DispatchTime.now().uptimeNanoseconds - start
        self.statistics.withLock { statistics in
            statistics.transactions += 1
            statistics.submissions += UInt64(batch.count)
            statistics.operations += UInt64(batch.reduce(0) { $0 + $1.operations.count })
            statistics.failures += UInt64(results.count { if case .failure = $0 { return true } else { return false } })
            statistics.commitNanoseconds += nanoseconds
            statistics.longestCommitNanoseconds = max(statistics.longestCommitNanoseconds, nanoseconds)
        }
        for (submission, result) in zip(batch, results) { submission.then(result) }
        if let watcher = self.natRecordWatcher.withLock({ $0 }),
            batch.contains(where: { $0.operations.contains { $0.touchesNATLog } })
        {
            watcher()
        }
    }

    /// Somebody in the batch failed: each submission in a savepoint of its own, so that only that one fails.
    private func commitOneByOne(_ batch: ArraySlice<Submission>, _ now: UTCTime) -> [Result<Void, StoreError>] {
        var results: [Result<Void, StoreError>] = []
        do {
            try self.database.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for submission in batch { results.append(Self.attempt(submission, now, db)) }
                    return .commit
                }
            }
            return results
        } catch {
            let failure = StoreError.database("\(error)")
            self.logger.error("commit failed", metadata: ["error": "\(error)", "submissions": "\(batch.count)"])
            return batch.map { _ in .failure(failure) }
        }
    }

    private static func attempt(
        _ submission: Submission, _ now: UTCTime, _ db: Database
    ) -> Result<Void, StoreError> {
        do {
            try db.inSavepoint {
                for operation in submission.operations { try db.perform(operation, at: now) }
                return .commit
            }
            return .success(())
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            return .failure(.conflict(error.message ?? "\(error)"))
        } catch {
            return .failure(.database("\(error)"))
        }
    }

    // MARK: Reading

    /// Everything a controller needs at start. Rows no version wrote are an error, not skipped.
    public func load() throws(StoreError) -> StoredState {
        try self.closeOrphans(at: self.utcNow())
        return try self.read { db in
            var state = StoredState()
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM sessions") ?? 0
            state.sessions.reserveCapacity(count)
            let columns = "\(SessionRecord.columns), \(SessionRecord.baseColumns)"
            let sessions = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM sessions ORDER BY id")
            while let row = try sessions.next() {
                guard let record = SessionRecord(live: row) else {
                    throw StoreError.database("a damaged session row: \(row)")
                }
                state.sessions.append(record)
            }
            let bindings = try Row.fetchCursor(
                db, sql: "SELECT \(StickyBinding.columns) FROM bindings ORDER BY reserved_until_ms, address")
            while let row = try bindings.next() {
                guard let binding = StickyBinding(row) else { throw StoreError.database("a damaged binding: \(row)") }
                state.bindings.append(binding)
            }
            state.prefixBindings = try StickyPrefixBinding.all(db)
            state.natRests = try NATRest.all(db)
            state.subscribers = try LocalSubscriber.all(db)
            for row in try Row.fetchAll(db, sql: "SELECT node, session_epoch FROM node_epochs") {
                state.sessionEpochs[row[0]] = UInt64(bitPattern: row[1])
            }
            let generations = "SELECT node, family, object, generation, content FROM object_generations"
            for row in try Row.fetchAll(db, sql: generations) {
                guard let family = ObjectFamily(rawValue: UInt16(clamping: row[1] as Int64)) else { continue }
                let key = ObjectKey(family, UInt64(bitPattern: row[2]))
                state.generations[row[0], default: [:]][key] = (UInt64(bitPattern: row[3]), [UInt8](blob: row[4]))
            }
            return state
        }
    }

    /// First session counter of `issuer` that was never reserved.
    public func nextSessionCounter(issuer: UInt16) throws(StoreError) -> UInt64 {
        try self.read { db in
            let next = try Int64.fetchOne(
                db, sql: "SELECT next FROM session_counters WHERE issuer = ?", arguments: [Int64(issuer)])
            return next.map { UInt64(bitPattern: $0) } ?? 1
        }
    }

    /// The secret of that name; `new` becomes it where there is none. For start-up, not for event loops.
    public func secret(_ name: String, orKeep new: [UInt8]) throws(StoreError) -> [UInt8] {
        do {
            return try self.database.write { db in
                try db.execute(
                    sql: "INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)", arguments: [name, new.blob])
                let kept = try Data.fetchOne(db, sql: "SELECT value FROM secrets WHERE name = ?", arguments: [name])
                return kept.map { [UInt8]($0) } ?? new
            }
        } catch {
            throw .database("\(error)")
        }
    }

    public func term(scope: String) throws(StoreError) -> UInt64 {
        try self.read { db in
            let term = try Int64.fetchOne(db, sql: "SELECT term FROM terms WHERE scope = ?", arguments: [scope])
            return term.map { UInt64(bitPattern: $0) } ?? 0
        }
    }

    /// Ended sessions, newest first, at most `limit`, those ended before `before`, of that user.
    public func history(
        before: UTCTime? = nil, user: String? = nil, limit: Int
    ) throws(StoreError) -> [SessionRecord] {
        try self.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(SessionRecord.columns) FROM history
                    WHERE ended_ms < ? \(user == nil ? "" : "AND user_name = ?") ORDER BY ended_ms DESC, id DESC LIMIT ?
                    """,
                arguments: StatementArguments([before?.milliseconds ?? Int64.max])
                    + StatementArguments(user.map { [$0] } ?? []) + [limit])
            return rows.compactMap { SessionRecord($0) }
        }
    }

    /// One ended session; nil if there is none of that id, or it has left the history.
    public func endedSession(_ id: SessionID) throws(StoreError) -> SessionRecord? {
        try self.read { db in
            try Row.fetchOne(
                db, sql: "SELECT \(SessionRecord.columns) FROM history WHERE id = ?",
                arguments: [Int64(bitPattern: id.rawValue)]
            ).flatMap { SessionRecord($0) }
        }
    }

    public var currentStatistics: StoreStatistics { self.statistics.withLock { $0 } }

    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try self.database.write(body)
        } catch {
            throw .database("\(error)")
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try self.database.read(body)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .database("\(error)")
        }
    }
}

/// What the store has done since it was opened.
public struct StoreStatistics: Sendable, Equatable {
    public var transactions: UInt64 = 0
    public var submissions: UInt64 = 0
    public var operations: UInt64 = 0
    public var failures: UInt64 = 0
    public var commitNanoseconds: UInt64 = 0
    public var longestCommitNanoseconds: UInt64 = 0
}
