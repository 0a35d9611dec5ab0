// SPDX-License-Identifier: Apache-2.0
// Aligned tables, and how times, sizes and lists of facts are written.

import Foundation

/// A table with a heading; columns are as wide as their widest cell.
struct Table {
    private let heading: [String]
    private let rightAligned: Set<Int>
    private var rows: [[String]] = []

    /// A heading that begins with ">" is right-aligned.
    init(_ heading: String...) {
        self.rightAligned = Set(heading.indices.filter { heading[$0].hasPrefix(">") })
        self.heading = heading.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
    }

    mutating func add(_ cells: String...) { self.rows.append(cells.map { $0.isEmpty ? "-" : $0 }) }

    var text: String {
        var widths = self.heading.map(\.count)
        for row in self.rows { for (i, cell) in row.enumerated() { widths[i] = max(widths[i], cell.count) } }
        return ([self.heading] + self.rows).map { row in
            var line = ""
            for (i, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[i] - cell.count)
                line += (i == 0 ? "" : "  ") + (self.rightAligned.contains(i) ? padding + cell : cell + padding)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}

/// Facts of one object, one per line.
func facts(_ pairs: [(String, String)]) -> String {
    let width = pairs.map(\.0.count).max() ?? 0
    return pairs.filter { !$0.1.isEmpty }.map { name, value in
        name + String(repeating: " ", count: width - name.count + 2) + value
    }.joined(separator: "\n")
}

enum Words {
    /// "2026-01-31 12:00:00Z"; "-" for never.
    static func time(_ milliseconds: Int64) -> String {
        guard milliseconds > 0 else { return "-" }
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
        return date.formatted(.iso8601.dateTimeSeparator(.space))
    }

    /// "59m12s" until or since; "-" for never.
    static func distance(_ milliseconds: Int64, from now: Date = Date()) -> String {
        guard milliseconds > 0 else { return "-" }
        let seconds = Int64((Double(milliseconds) / 1_000 - now.timeIntervalSince1970).rounded())
        let (absolute, past) = (abs(seconds), seconds < 0)
        let text: String
        switch absolute {
        case 0..<60: text = "\(absolute)s"
        case 60..<3_600: text = "\(absolute / 60)m\(absolute % 60)s"
        case 3_600..<86_400: text = "\(absolute / 3_600)h\(absolute % 3_600 / 60)m"
        default: text = "\(absolute / 86_400)d\(absolute % 86_400 / 3_600)h"
        }
        return past ? "\(text) ago" : text
    }

    /// "-" for 0; exact in the largest unit that leaves at most three digits behind the point.
    static func rate(_ bitsPerSecond: UInt64) -> String {
        guard bitsPerSecond > 0 else { return "-" }
        for (unit, scale) in [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000)] as [(String, UInt64)]
        where bitsPerSecond >= scale && bitsPerSecond % (scale / 1_000) == 0 {
            let (whole, rest) = bitsPerSecond.quotientAndRemainder(dividingBy: scale)
            guard rest > 0 else { return "\(whole)\(unit)" }
            var digits = String(1_000 + rest / (scale / 1_000)).dropFirst()
            while digits.last == "0" { digits.removeLast() }
            return "\(whole).\(digits)\(unit)"
        }
        return "\(bitsPerSecond)bit"
    }

    static func bytes(_ count: UInt64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        var value = Double(count)
        var unit = 0
        while value >= 1_000, unit < units.count - 1 {
            value /= 1_000
            unit += 1
        }
        return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
    }
}
