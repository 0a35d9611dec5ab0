// SPDX-License-Identifier: Apache-2.0
// Which accounting record is sent next. Records of one session go one after the other, in order; sessions do not wait for each
// other, but all wait for Accounting-On and -Off: a server ends every session of a node when it hears one. What does not fit in memory stays on disk and is read again when there is room.

import BNGCore

/// The order of delivery. Pure: whoever drives it sends, reads the disk and keeps the time.
public struct AccountingQueue: Sendable {
    /// Records in memory at most.
    public let memory: Int
    private var waiting: [AccountingRecord] = []
    private var head = 0
    /// Tried and not delivered: first in turn, oldest first.
    private var again: [AccountingRecord] = []
    /// Sessions with a record under way or in `again`, and what waits behind it.
    private var busy: [UInt64: [AccountingRecord]] = [:]
    private var inFlight: [UInt64: AccountingRecord] = [:]
    /// Sequence numbers in memory, or delivered and not yet removed from the disk.
    private var known: Set<UInt64> = []
    /// Records on disk that are not in memory may exist.
    public private(set) var isBehindDisk = true

    public init(memory: Int) {
        self.memory = memory
    }

    /// The session of Accounting-On and -Off.
    private static let nobody: UInt64 = 0

    /// Under way now.
    public var flying: Int { self.inFlight.count }
    /// In memory, under way or not.
    public private(set) var count = 0

    /// Takes a record that is on disk, unless it is here already, memory is full, or older ones must be read from disk first.
    public mutating func add(_ record: AccountingRecord) {
        guard !self.isBehindDisk else { return }
        guard self.count < self.memory else {
            self.isBehindDisk = true
            return
        }
        self.take(record)
    }

    /// The disk should be read: room is there and records may be.
    public var wantsDisk: Bool { self.isBehindDisk && self.count <= self.memory / 2 }

    /// How many rows to read from the beginning of the spool.
    public var diskPage: Int { self.known.count + self.memory / 2 + 1 }

    /// Takes what was read from the beginning of the spool; `isAll`: there was no more.
    public mutating func read(_ records: [AccountingRecord], isAll: Bool) {
        for record in records where self.count < self.memory { self.take(record) }
        self.isBehindDisk = !isAll || records.contains { !self.known.contains($0.sequence) }
    }

    private mutating func take(_ record: AccountingRecord) {
        guard self.known.insert(record.sequence).inserted else { return }
        self.count += 1
        self.waiting.append(record)
    }

    /// The next record to send; it is under way until `answered`. nil: none can be sent now.
    public mutating func next() -> AccountingRecord? {
        guard self.busy[Self.nobody] == nil || self.inFlight.isEmpty else { return nil }
        if !self.again.isEmpty { return self.fly(self.again.removeFirst()) }
        while self.head < self.waiting.count {
            let record = self.waiting[self.head]
            // On and Off go alone, after everything before them and before everything after them.
            if record.session == Self.nobody, !self.busy.isEmpty { return nil }
            self.head += 1
            if self.head == self.waiting.count {
                self.waiting.removeAll(keepingCapacity: true)
                self.head = 0
            } else if self.head > 4_096, self.head > self.waiting.count / 2 {
                self.waiting.removeFirst(self.head)
                self.head = 0
            }
            if self.busy[record.session] != nil {
                self.busy[record.session]?.append(record)
            } else {
                self.busy[record.session] = []
                return self.fly(record)
            }
        }
        return nil
    }

    private mutating func fly(_ record: AccountingRecord) -> AccountingRecord {
        self.inFlight[record.sequence] = record
        return record
    }

    /// A server has taken the record, or nobody answered.
    public mutating func answered(_ sequence: UInt64, delivered: Bool) {
        guard let record = self.inFlight.removeValue(forKey: sequence) else { return }
        guard delivered else {
            let place = self.again.firstIndex { $0.sequence > sequence } ?? self.again.count
            return self.again.insert(record, at: place)
        }
        self.count -= 1
        guard var behind = self.busy.removeValue(forKey: record.session), !behind.isEmpty else { return }
        let next = behind.removeFirst()
        self.busy[record.session] = behind
        let place = self.again.firstIndex { $0.sequence > next.sequence } ?? self.again.count
        self.again.insert(next, at: place)
    }

    /// Delivered records are gone from the disk.
    public mutating func removed(_ sequences: [UInt64]) {
        self.known.subtract(sequences)
    }
}
