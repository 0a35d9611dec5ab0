// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses as text: any form of RFC 4291 2.2 is read, without a zone; the one form of RFC 5952 is written.

extension IPv6Address: CustomStringConvertible, LosslessStringConvertible {
    /// Eight groups of one to four digits; one "::" in place of at least one group; the last two may be dotted decimal.
    public init?(_ description: String) {
        let text = Array(description.utf8)
        guard text.count <= 45 else { return nil }
        let halves = Self.halves(text)
        guard let last = halves.last, let tail = Self.groups(last, isTail: true) else { return nil }
        guard halves.count == 2 else {
            guard tail.count == 8 else { return nil }
            self.init(groups: tail)
            return
        }
        guard let head = Self.groups(halves[0], isTail: false), head.count + tail.count <= 7 else { return nil }
        self.init(groups: head + repeatElement(0, count: 8 - head.count - tail.count) + tail)
    }

    private init(groups: [UInt16]) {
        self.init(
            high: groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) },
            low: groups.dropFirst(4).reduce(0) { $0 << 16 | UInt64($1) })
    }

    /// What stands before and behind the first "::"; a second one is left in the last part, where it is no group.
    private static func halves(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        for at in text.indices.dropLast() where text[at] == UInt8(ascii: ":") && text[at + 1] == UInt8(ascii: ":") {
            return [text[..<at], text[(at + 2)...]]
        }
        return [text[...]]
    }

    private static func groups(_ text: ArraySlice<UInt8>, isTail: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if isTail, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let address = IPv4Address(String(decoding: part, as: UTF8.self)) else { return nil }
                groups.append(UInt16(address.rawValue >> 16))
                groups.append(UInt16(address.rawValue & 0xffff))
            } else {
                guard let group = Self.group(part) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func group(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    /// RFC 5952: lower case, no leading zeros, "::" for the longest run of two or more zero groups, the first of equals;
    /// IPv4-mapped addresses end in dotted decimal (section 5).
    public var description: String {
        if self.high == 0, self.low >> 32 == 0xffff {
            return "::ffff:\(IPv4Address(rawValue: UInt32(truncatingIfNeeded: self.low)))"
        }
        let run = self.longestZeroRun
        var text: [UInt8] = []
        text.reserveCapacity(39)
        for index in 0..<8 {
            if let run, run.contains(index) {
                if index == run.lowerBound { text.append(contentsOf: "::".utf8) }
                continue
            }
            if index > 0, index != run?.upperBound { text.append(UInt8(ascii: ":")) }
            let group = self.group(index)
            for shift in [UInt16(12), 8, 4, 0] where shift == 0 || group >> shift != 0 {
                text.append(hexadecimalDigit(UInt8(truncatingIfNeeded: group >> shift & 0xf)))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Group 0 to 7, the first on the wire first.
    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? self.high : self.low) >> UInt64(48 - 16 * (index & 3)))
    }

    private var longestZeroRun: Range<Int>? {
        var best = 0..<1
        var start = 0
        for index in 0...8 where index == 8 || self.group(index) != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best.count >= 2 ? best : nil
    }
}
