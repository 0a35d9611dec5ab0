// SPDX-License-Identifier: Apache-2.0
// Durations, rates and sizes as people write them, exactly: nothing is rounded.

/// Durations: numbers with units in descending order.
enum Duration {
    static func milliseconds(_ text: String) -> UInt64? {
        let units: [(String, UInt64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
        var total: UInt64 = 0
        var rest = text[...]
        var next = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard digits.count <= 9, let number = UInt64(digits),
                let index = units[next...].firstIndex(where: { $0.0 == unit })
            else { return nil }
            total += number * units[index].1
            next = index + 1
        }
        return text.isEmpty ? nil : total
    }
}

/// A decimal number and a unit.
enum Quantity {
    private static let rates: [String: UInt64] = [
        "bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000,
    ]
    private static let sizes: [String: UInt64] = [
        "B": 1, "kB": 1_000, "MB": 1_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
    ]

    /// Bits per second: `64kbit`, `100Mbit`, `2.5Gbit`.
    static func bitsPerSecond(_ text: String) -> UInt64? { self.exact(text, self.rates) }

    /// Bytes: `1600B`, `256KiB`, `1.5MB`.
    static func bytes(_ text: String) -> UInt64? { self.exact(text, self.sizes) }

    /// nil too if the number is not a whole one of the smallest unit.
    private static func exact(_ text: String, _ units: [String: UInt64]) -> UInt64? {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard let unit = units[String(text.dropFirst(number.count))] else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ (1...12).contains($0.count) }),
            let whole = UInt64(parts[0])
        else { return nil }
        let (high, overflow) = whole.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return high }
        let power = parts[1].reduce(UInt64(1)) { result, _ in result * 10 }
        guard let fraction = UInt64(parts[1]) else { return nil }
        let low = fraction.multipliedFullWidth(by: unit)
        guard low.high == 0, low.low % power == 0 else { return nil }
        let (sum, carry) = high.addingReportingOverflow(low.low / power)
        return carry ? nil : sum
    }
}
