// SPDX-License-Identifier: Apache-2.0
// Deadlines by the tick: one entry a deadline, no timer a session.

/// What is due when. An item may be stale; whoever takes it compares it with the owner's own deadline.
public struct DeadlineWheel<Item> {
    private var slots: [Int64: [Item]] = [:]
    private var swept: Int64 = 0

    public init() {}

    /// - Parameter tick: of the owner's clock, greater than zero: Unix seconds, or tenths of a second since some start.
    public mutating func add(_ item: Item, at tick: Int64) {
        self.slots[max(tick, self.swept + 1), default: []].append(item)
    }

    /// Removes and returns what is due at `tick` or before.
    public mutating func take(upTo tick: Int64) -> [Item] {
        defer { self.swept = max(self.swept, tick) }
        // After a step of the clock there may be more ticks to visit than slots.
        let ticks: [Int64]
        if self.swept == 0 || tick - self.swept > Int64(self.slots.count) {
            ticks = self.slots.keys.filter { $0 <= tick }.sorted()
        } else {
            ticks = tick > self.swept ? Array((self.swept + 1)...tick) : []
        }
        return ticks.flatMap { self.slots.removeValue(forKey: $0) ?? [] }
    }
}
