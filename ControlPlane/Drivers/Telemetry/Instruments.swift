// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms that any thread may change without a lock.

import Synchronization

/// A number that only grows.
public final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    public func increment(by amount: UInt64 = 1) { self.value.wrappingAdd(amount, ordering: .relaxed) }
    public var current: UInt64 { self.value.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let value = Atomic<Int64>(0)

    public func set(_ value: Int64) { self.value.store(value, ordering: .relaxed) }
    public func add(_ amount: Int64) { self.value.wrappingAdd(amount, ordering: .relaxed) }
    public var current: Int64 { self.value.load(ordering: .relaxed) }
}

/// Observations counted in buckets with fixed upper bounds.
public final class Histogram: Sendable {
    private struct State: Sendable {
        var counts: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<State>

    /// - Precondition: `bounds` ascend.
    init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds of a histogram ascend")
        self.bounds = bounds
        self.state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    public func observe(_ value: Double) {
        let bucket = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func samples(_ labels: [MetricFamily.Label]) -> [MetricFamily.Sample] {
        let (counts, sum) = self.state.withLock { ($0.counts, $0.sum) }
        var samples: [MetricFamily.Sample] = []
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < self.bounds.count ? MetricFamily.number(self.bounds[index]) : "+Inf"
            samples.append(.init(suffix: "_bucket", labels: labels + [.init("le", bound)], value: Double(total)))
        }
        samples.append(.init(suffix: "_sum", labels: labels, value: sum))
        samples.append(.init(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
