// SPDX-License-Identifier: Apache-2.0
// Lines AAA has refused, and those nobody is asked about for a while (FEATURES A12). Bounded; the oldest go first.

import BNGCore

/// Failures in a row of the lines of one shard.
struct LockoutTable {
    /// Lines remembered at most; when full, a new one is not remembered until old ones have gone.
    static let limit = 65_536
    /// A line that has not failed for so long starts again.
    static let memory: Seconds = 600

    private struct Failures {
        var count: UInt32
        var last: UTCTime
        var lockedUntil: UTCTime
    }

    private var lines: [LineKey: Failures] = [:]

    var count: Int { self.lines.count }

    func isLocked(_ line: LineKey, at now: UTCTime) -> Bool { (self.lines[line]?.lockedUntil ?? .zero) > now }

    /// - Returns: failures in a row if the line is locked out by this one, else nil.
    mutating func failed(_ line: LineKey, after limit: UInt32, for time: Seconds, at now: UTCTime) -> UInt32? {
        guard self.lines[line] != nil || self.lines.count < Self.limit else { return nil }
        var failures = self.lines[line] ?? Failures(count: 0, last: now, lockedUntil: .zero)
        if failures.last + Self.memory < now { failures.count = 0 }
        failures.count += 1
        failures.last = now
        let locked = failures.count >= limit
        if locked { failures.lockedUntil = now + time }
        self.lines[line] = failures
        return locked ? failures.count : nil
    }

    mutating func succeeded(_ line: LineKey) {
        guard !self.lines.isEmpty else { return }
        self.lines[line] = nil
    }

    mutating func prune(at now: UTCTime) {
        guard !self.lines.isEmpty else { return }
        self.lines = self.lines.filter { $0.value.lockedUntil > now || $0.value.last + Self.memory > now }
    }
}
