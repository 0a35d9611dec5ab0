// SPDX-License-Identifier: Apache-2.0
// The thread of one output: reads, delivers, moves the cursor; rests ever longer while it cannot deliver.

import BNGCore
import Foundation
import Logging
import Subscribers
import Synchronization

/// Why a delivery failed.
struct DeliveryFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }

    /// What errno says.
    static func system(_ what: String) -> DeliveryFailure {
        DeliveryFailure("\(what): \(String(cString: strerror(errno)))")
    }
}

/// Where an output's records go. Used on its thread only.
protocol RecordSink: AnyObject {
    /// Returns when all of them are delivered. - Parameter isStopped: asked while it waits.
    func deliver(_ records: [NATRecord], isStopped: () -> Bool) throws(DeliveryFailure)
}

final class NATRecordSender: @unchecked Sendable {
    // `sink` and `cursor` are the thread's; the rest is immutable or has its lock; hence @unchecked.
    static let page = 500
    /// While records come, a page is read no sooner than this: they are delivered in company.
    static let gathering = 0.1
    static let longestRest = 30.0

    private let output: NATRecordOutput
    private let store: any NATRecordStoring
    private let logger: Logger
    private let sink: any RecordSink
    private var cursor: UInt64
    private let shared: Mutex<NATRecordStatus>
    private let condition = NSCondition()
    private let isStopped = Atomic(false)
    private let isWoken = Atomic(true)
    private let ended = DispatchSemaphore(value: 0)

    init(
        _ output: NATRecordOutput, cursor: UInt64, store: any NATRecordStoring, logger: Logger,
        now: @escaping @Sendable () -> UTCTime
    ) {
        var logger = logger
        logger[metadataKey: "output"] = "\(output.name)"
        self.output = output
        self.cursor = cursor
        self.store = store
        self.logger = logger
        self.sink = output.sink(now: now)
        self.shared = Mutex(NATRecordStatus(output: output, sequence: cursor))
    }

    var status: NATRecordStatus { self.shared.withLock { $0 } }

    func start() {
        let thread = Thread { [self] in
            while !self.isStopped.load(ordering: .acquiring) { self.step() }
            self.ended.signal()
        }
        thread.name = "bng-nat-records"
        thread.start()
    }

    func wake() {
        guard !self.isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.condition.lock()
        self.condition.broadcast()
        self.condition.unlock()
    }

    func stop() {
        self.isStopped.store(true, ordering: .releasing)
        self.condition.lock()
        self.condition.broadcast()
        self.condition.unlock()
    }

    func wait() { _ = self.ended.wait(timeout: .now() + 1) }

    // MARK: The thread

    private func step() {
        self.isWoken.store(false, ordering: .releasing)
        do {
            let records = try self.store.natRecords(after: self.cursor, limit: Self.page)
            guard let last = records.last else { return self.sleep(60) { self.isWoken.load(ordering: .acquiring) } }
            self.countLost(records)
            try self.sink.deliver(records) { self.isStopped.load(ordering: .acquiring) }
            try self.advance(to: last.sequence)
            self.succeeded(records.count)
            if records.count < Self.page { self.sleep(Self.gathering) }
        } catch {
            self.failed("\(error)")
        }
    }

    private func advance(to sequence: UInt64) throws(DeliveryFailure) {
        let answered = DispatchSemaphore(value: 0)
        let isDurable = SharedFlag(false)
        self.store.advance(self.output.name, to: sequence) { done in
            isDurable.value.store(done, ordering: .releasing)
            answered.signal()
        }
        answered.wait()
        guard isDurable.value.load(ordering: .acquiring) else {
            throw DeliveryFailure("the database did not take how far the output has got")
        }
        self.cursor = sequence
    }

    /// The spool dropped what is missing before the first of a page, or within it.
    private func countLost(_ records: [NATRecord]) {
        guard let last = records.last else { return }
        let missing = last.sequence - self.cursor - UInt64(records.count)
        guard missing > 0 else { return }
        // Once, though the page may be delivered again: the cursor moves past the gap.
        self.cursor = last.sequence - UInt64(records.count)
        self.shared.withLock { status in
            status.lost += missing
            status.sequence = self.cursor
        }
        self.logger.critical(
            "NAT records were dropped at the bound of the spool before they could be delivered",
            metadata: ["records": "\(missing)"])
    }

    private func succeeded(_ count: Int) {
        let recovered = self.shared.withLock { status -> Bool in
            defer { status.problem = nil }
            status.sent += UInt64(count)
            status.sequence = self.cursor
            return status.problem != nil
        }
        if recovered { self.logger.notice("NAT records are delivered again") }
        self.rest = 0
    }

    private var rest = 0.0

    private func failed(_ problem: String) {
        guard !self.isStopped.load(ordering: .acquiring) else { return }
        let isNew = self.shared.withLock { status -> Bool in
            defer { status.problem = problem }
            status.failures += 1
            return status.problem == nil
        }
        if isNew {
            self.logger.warning("NAT records cannot be delivered; they wait on disk", metadata: ["error": "\(problem)"])
        }
        self.rest = min(max(0.5, self.rest * 2), Self.longestRest)
        self.sleep(self.rest)
    }

    private func sleep(_ seconds: Double, unless isDone: () -> Bool = { false }) {
        let end = Date(timeIntervalSinceNow: seconds)
        self.condition.lock()
        defer { self.condition.unlock() }
        while !self.isStopped.load(ordering: .acquiring), !isDone(), self.condition.wait(until: end) {}
    }
}

/// A flag that a closure shares.
private final class SharedFlag: Sendable {
    let value: Atomic<Bool>
    init(_ value: Bool) { self.value = Atomic(value) }
}
