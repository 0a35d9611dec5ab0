// SPDX-License-Identifier: Apache-2.0
// Deadlines of a shard by the second: one entry a deadline, no timer a session.

/// What is due when. An item may be stale; whoever takes it compares it with the owner's own deadline.
struct DeadlineWheel<Item> {
    private var slots: [Int64: [Item]] = [:]
    private var swept: Int64 = 0

    /// - Parameter second: Unix time.
    mutating func add(_ item: Item, at second: Int64) {
        self.slots[max(second, self.swept + 1), default: []].append(item)
    }

    /// Removes and returns what is due at `second` or before.
    mutating func take(upTo second: Int64) -> [Item] {
        defer { self.swept = max(self.swept, second) }
        // After a step of the clock there may be more seconds to visit than slots.
        let seconds: [Int64]
        if self.swept == 0 || second - self.swept > Int64(self.slots.count) {
            seconds = self.slots.keys.filter { $0 <= second }.sorted()
        } else {
            seconds = second > self.swept ? Array((self.swept + 1)...second) : []
        }
        return seconds.flatMap { self.slots.removeValue(forKey: $0) ?? [] }
    }
}
