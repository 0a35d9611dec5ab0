// SPDX-License-Identifier: Apache-2.0
// Metrics as values, and their Prometheus text form (exposition format 0.0.4).

/// One metric with all its series.
public struct MetricFamily: Sendable, Equatable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public struct Sample: Sendable, Equatable {
        /// Appended to the family's name: "_bucket", "_sum", "_count" of a histogram.
        public var suffix: String
        public var labels: [Label]
        public var value: Double

        public init(suffix: String = "", labels: [Label] = [], value: Double) {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }
    }

    public struct Label: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var name: String
    public var help: String
    public var kind: Kind
    public var samples: [Sample]

    public init(_ name: String, help: String, kind: Kind, samples: [Sample] = []) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    /// Adds a series.
    public mutating func add(_ value: some BinaryInteger, _ labels: Label...) {
        self.samples.append(Sample(labels: labels, value: Double(value)))
    }

    /// A family with one series without labels.
    public static func single(
        _ name: String, help: String, kind: Kind, _ value: some BinaryInteger
    ) -> MetricFamily {
        MetricFamily(name, help: help, kind: kind, samples: [Sample(value: Double(value))])
    }
}

extension MetricFamily {
    /// Appends HELP, TYPE and one line per series.
    func render(to text: inout String) {
        text += "# HELP \(self.name) \(Self.escape(self.help, quotes: false))\n"
        text += "# TYPE \(self.name) \(self.kind.rawValue)\n"
        for sample in self.samples {
            text += self.name + sample.suffix
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value, quotes: true))\"" }
                text += "{" + labels.joined(separator: ",") + "}"
            }
            text += " \(Self.number(sample.value))\n"
        }
    }

    static func escape(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 9e15 ? "\(Int64(value))" : "\(value)"
    }
}
