// SPDX-License-Identifier: Apache-2.0
// Metrics text and log lines.

import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct TelemetryTests {
    @Test func `counters, gauges and histograms become Prometheus text`() async {
        let registry = MetricRegistry()
        registry.counter("b_total", help: "Things.", labels: [.init("kind", "a\"b\\c\nd")]).increment(by: 3)
        registry.gauge("a", help: "Level.").set(-2)
        let histogram = registry.histogram("c_seconds", help: "Time.", bounds: [0.1, 1])
        for value in [0.05, 0.5, 0.5, 5] { histogram.observe(value) }
        #expect(
            await registry.exposition() == """
                # HELP a Level.
                # TYPE a gauge
                a -2
                # HELP b_total Things.
                # TYPE b_total counter
                b_total{kind="a\\"b\\\\c\\nd"} 3
                # HELP c_seconds Time.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.1"} 1
                c_seconds_bucket{le="1"} 3
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 6.05
                c_seconds_count 4
                # HELP bng_metrics_dropped_series Series left out of this scrape because their family had too many.
                # TYPE bng_metrics_dropped_series gauge
                bng_metrics_dropped_series 0

                """)
    }

    @Test func `a family with too many series is cut and the cut is counted`() async {
        let registry = MetricRegistry()
        registry.collect {
            var family = MetricFamily("x", help: "Many.", kind: .gauge)
            for number in 0..<MetricRegistry.seriesLimit + 7 { family.add(1, .init("n", "\(number)")) }
            return [family]
        }
        let lines = await registry.exposition().split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("x{") } == MetricRegistry.seriesLimit)
        #expect(lines.contains("bng_metrics_dropped_series 7"))
    }

    @Test func `what a peer sends cannot forge a log line`() {
        let lines = Mutex<[String]>([])
        for format in [StructuredLogHandler.Format.text, .json] {
            var logger = Logger(label: "t") { label in
                StructuredLogHandler(label: label, level: .info, format: format) { line in
                    lines.withLock { $0.append(line) }
                }
            }
            logger[metadataKey: "host"] = "x\nlevel=critical \"quoted\" \u{1b}[31m"
            logger.info("hello world")
            logger.debug("not shown")
        }
        let written = lines.withLock { $0 }
        #expect(written.count == 2)
        #expect(written.allSatisfy { $0.split(separator: "\n").count == 1 && $0.hasSuffix("\n") })
        #expect(
            written[0].contains(#"level=info from=t msg="hello world" host="x\nlevel=critical \"quoted\" \u001b[31m""#))
        #expect(written[1].hasPrefix("{\"time\":") && written[1].contains(#""msg":"hello world""#))
    }
}
