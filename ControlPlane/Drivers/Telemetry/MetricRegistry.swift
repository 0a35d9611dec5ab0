// SPDX-License-Identifier: Apache-2.0
// Where instruments and collectors are registered, and the text of a scrape. Series per family are bounded: a label that grows
// with subscribers would otherwise take the process and Prometheus down.

import Synchronization

/// All metrics of a process.
public final class MetricRegistry: Sendable {
    private enum Instrument: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    private struct Entry: Sendable {
        var help: String
        var kind: MetricFamily.Kind
        var series: [[MetricFamily.Label]: Instrument] = [:]
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var collectors: [@Sendable () async -> [MetricFamily]] = []
    }

    /// Series of one family beyond this are left out of the scrape and counted.
    public static let seriesLimit = 1_024

    private let state = Mutex(State())

    public init() {}

    /// The counter of that name and labels, made on first use.
    /// - Precondition: the name is not used for another kind.
    public func counter(_ name: String, help: String, labels: [MetricFamily.Label] = []) -> Counter {
        guard case .counter(let counter) = self.instrument(name, help, .counter, labels, { .counter(Counter()) })
        else { preconditionFailure("\(name) is not a counter") }
        return counter
    }

    public func gauge(_ name: String, help: String, labels: [MetricFamily.Label] = []) -> Gauge {
        guard case .gauge(let gauge) = self.instrument(name, help, .gauge, labels, { .gauge(Gauge()) })
        else { preconditionFailure("\(name) is not a gauge") }
        return gauge
    }

    public func histogram(
        _ name: String, help: String, bounds: [Double], labels: [MetricFamily.Label] = []
    ) -> Histogram {
        let made = self.instrument(name, help, .histogram, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = made else { preconditionFailure("\(name) is not a histogram") }
        return histogram
    }

    /// Adds a source that is asked at every scrape.
    public func collect(_ collector: @escaping @Sendable () async -> [MetricFamily]) {
        self.state.withLock { $0.collectors.append(collector) }
    }

    private func instrument(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: [MetricFamily.Label],
        _ make: () -> Instrument
    ) -> Instrument {
        self.state.withLock { state in
            var entry = state.entries[name] ?? Entry(help: help, kind: kind)
            precondition(entry.kind == kind, "\(name) is a \(entry.kind)")
            let instrument = entry.series[labels] ?? make()
            entry.series[labels] = instrument
            state.entries[name] = entry
            return instrument
        }
    }

    /// The text of a scrape.
    public func exposition() async -> String {
        let (entries, collectors) = self.state.withLock { ($0.entries, $0.collectors) }
        var families = entries.map { name, entry in
            MetricFamily(
                name, help: entry.help, kind: entry.kind,
                samples: entry.series.flatMap { labels, instrument -> [MetricFamily.Sample] in
                    switch instrument {
                    case .counter(let counter): return [.init(labels: labels, value: Double(counter.current))]
                    case .gauge(let gauge): return [.init(labels: labels, value: Double(gauge.current))]
                    case .histogram(let histogram): return histogram.samples(labels)
                    }
                })
        }
        for collector in collectors { families += await collector() }
        return Self.text(families)
    }

    static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        var dropped = 0
        for var family in families.sorted(by: { $0.name < $1.name }) where !family.samples.isEmpty {
            if family.samples.count > Self.seriesLimit {
                dropped += family.samples.count - Self.seriesLimit
                family.samples.removeLast(family.samples.count - Self.seriesLimit)
            }
            family.render(to: &text)
        }
        MetricFamily.single(
            "bng_metrics_dropped_series", help: "Series left out of this scrape because their family had too many.",
            kind: .gauge, dropped
        ).render(to: &text)
        return text
    }
}
