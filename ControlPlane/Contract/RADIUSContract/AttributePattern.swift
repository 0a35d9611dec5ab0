// SPDX-License-Identifier: Apache-2.0
// The pattern language of attribute rules: literal text with captures, anchored at both ends. docs/operate/configuration.md
// explains it to operators.
//
// `{up}` `{down}` `{rate}` (both directions) take a number of bits per second with an optional suffix k, M or G (powers of
// 1000) and an optional fraction; `{up:k}` says what a number without suffix counts. `{plan}`, `{filter}` and `{forward}` take at least one
// character, `{*}` any number; they take as little as will do. `{{` is a brace.

/// A compiled pattern.
public struct AttributePattern: Sendable, Equatable, CustomStringConvertible {
    /// What a match found.
    public struct Captures: Sendable, Equatable {
        /// Bits per second; 0 means "no limit" to those who send it.
        public var up: UInt64?
        public var down: UInt64?
        public var plan: String?
        public var filter: String?
        public var forward: String?

        public init() {}
    }

    /// What is wrong with a pattern.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
    }

    enum Capture: Equatable, Sendable {
        case up(unit: UInt64)
        case down(unit: UInt64)
        case rate(unit: UInt64)
        case plan
        case filter
        case forward
        case anything

        var isText: Bool {
            switch self {
            case .plan, .filter, .forward, .anything: true
            case .up, .down, .rate: false
            }
        }
    }

    enum Part: Equatable, Sendable {
        case literal([UInt8])
        case capture(Capture)
    }

    /// The pattern as written.
    public let description: String
    let parts: [Part]

    /// Compiles a pattern.
    public init(_ text: String) throws(Problem) {
        self.description = text
        self.parts = try Self.parse(Array(text.utf8))
        try self.checkOrder()
    }

    private static func parse(_ text: [UInt8]) throws(Problem) -> [Part] {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            guard byte == UInt8(ascii: "{") else {
                literal.append(byte)
                continue
            }
            if index < text.count, text[index] == byte {
                literal.append(byte)
                index += 1
                continue
            }
            guard let end = text[index...].firstIndex(of: UInt8(ascii: "}")) else {
                throw Problem(description: "a brace is never closed (write {{ for a brace)")
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(.capture(try Self.capture(String(decoding: text[index..<end], as: UTF8.self))))
            index = end + 1
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func capture(_ text: String) throws(Problem) -> Capture {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        let units: [Substring: UInt64] = ["k": 1_000, "M": 1_000_000, "G": 1_000_000_000]
        let unit = halves.count == 2 ? units[halves[1]] : halves.count == 1 ? 1 : nil
        let expected = "expected {up}, {down} or {rate} (with :k, :M or :G if the number counts those)"
        guard let unit else { throw Problem(description: "{\(text)}: \(expected)") }
        switch (halves[0], unit) {
        case ("up", _): return .up(unit: unit)
        case ("down", _): return .down(unit: unit)
        case ("rate", _): return .rate(unit: unit)
        case ("plan", 1): return .plan
        case ("filter", 1): return .filter
        case ("forward", 1): return .forward
        case ("*", 1): return .anything
        default: throw Problem(description: "{\(text)}: \(expected), {plan}, {filter}, {forward} or {*}")
        }
    }

    /// What would be ambiguous, or slow on purpose.
    private func checkOrder() throws(Problem) {
        guard !self.parts.isEmpty else { throw Problem(description: "the pattern is empty") }
        var texts = 0
        for (index, part) in self.parts.enumerated() {
            guard case .capture(let capture) = part else { continue }
            if capture.isText { texts += 1 }
            guard index + 1 < self.parts.count, case .capture(let next) = self.parts[index + 1] else { continue }
            if capture.isText || !next.isText {
                throw Problem(description: "two captures meet: expected literal text between them")
            }
        }
        guard texts <= 2 else {
            throw Problem(description: "more than two of {plan}, {filter}, {forward} and {*} in one pattern")
        }
    }

    /// What the text holds; nil if it does not match.
    public func match(_ text: String) -> Captures? {
        self.match(Array(text.utf8)[...], self.parts[...], Captures())
    }

    private func match(_ text: ArraySlice<UInt8>, _ parts: ArraySlice<Part>, _ found: Captures) -> Captures? {
        guard let part = parts.first else { return text.isEmpty ? found : nil }
        let rest = parts.dropFirst()
        switch part {
        case .literal(let literal):
            return text.starts(with: literal) ? self.match(text.dropFirst(literal.count), rest, found) : nil
        case .capture(let capture) where capture.isText:
            return self.matchText(capture, text, rest, found)
        case .capture(let capture):
            return self.matchRate(capture, text, rest, found)
        }
    }

    private func matchText(
        _ capture: Capture, _ text: ArraySlice<UInt8>, _ rest: ArraySlice<Part>, _ found: Captures
    ) -> Captures? {
        let least = capture == .anything ? 0 : 1
        guard text.count >= least else { return nil }
        for length in (rest.isEmpty ? text.count : least)...text.count {
            var captures = found
            let value = String(decoding: text.prefix(length), as: UTF8.self)
            if capture == .plan { captures.plan = value }
            if capture == .filter { captures.filter = value }
            if capture == .forward { captures.forward = value }
            if let result = self.match(text.dropFirst(length), rest, captures) { return result }
        }
        return nil
    }

    private func matchRate(
        _ capture: Capture, _ text: ArraySlice<UInt8>, _ rest: ArraySlice<Part>, _ found: Captures
    ) -> Captures? {
        guard let number = RateText(text) else { return nil }
        // "10Mbit" is 10M and "bit", or 10 and "Mbit": the first that fits.
        for hasSuffix in number.suffix == nil ? [false] : [true, false] {
            var captures = found
            switch capture {
            case .up(let unit): captures.up = number.value(hasSuffix, unit)
            case .down(let unit): captures.down = number.value(hasSuffix, unit)
            case .rate(let unit):
                captures.up = number.value(hasSuffix, unit)
                captures.down = captures.up
            case .plan, .filter, .forward, .anything: return nil
            }
            guard captures.up ?? captures.down != nil else { continue }
            let length = number.length + (hasSuffix ? 1 : 0)
            if let result = self.match(text.dropFirst(length), rest, captures) { return result }
        }
        return nil
    }
}

/// Digits, perhaps a fraction, perhaps a suffix, at the start of a text.
struct RateText {
    /// Without the suffix.
    private(set) var length = 0
    private(set) var suffix: UInt64?
    private var whole: UInt64 = 0
    private var thousandths: UInt64 = 0

    /// nil if the text starts with no number, or with one nobody means.
    init?(_ text: ArraySlice<UInt8>) {
        let digits = text.prefix { (48...57).contains($0) }
        guard (1...12).contains(digits.count) else { return nil }
        self.whole = digits.reduce(0) { $0 * 10 + UInt64($1 - 48) }
        self.length = digits.count
        var rest = text.dropFirst(digits.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { (48...57).contains($0) }
            guard (1...3).contains(fraction.count) else { return nil }
            let padded = Array(fraction) + [UInt8](repeating: 48, count: 3 - fraction.count)
            self.thousandths = padded.reduce(0) { $0 * 10 + UInt64($1 - 48) }
            self.length += 1 + fraction.count
            rest = rest.dropFirst(1 + fraction.count)
        }
        switch rest.first {
        case UInt8(ascii: "k"), UInt8(ascii: "K"): self.suffix = 1_000
        case UInt8(ascii: "m"), UInt8(ascii: "M"): self.suffix = 1_000_000
        case UInt8(ascii: "g"), UInt8(ascii: "G"): self.suffix = 1_000_000_000
        default: break
        }
    }

    /// Bits per second; nil beyond what 64 bits hold.
    func value(_ hasSuffix: Bool, _ unit: UInt64) -> UInt64? {
        let factor = hasSuffix ? self.suffix ?? unit : unit
        let (product, overflow) = self.whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        let (sum, carried) = product.addingReportingOverflow(self.thousandths * factor / 1_000)
        return carried ? nil : sum
    }
}
