// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text to bytes and back, without Foundation.

/// Lower-case hexadecimal of `bytes`, two digits each, with `separator` between bytes.
public func hexadecimal(_ bytes: some Sequence<UInt8>, separator: String = "") -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount * (2 + separator.utf8.count))
    for byte in bytes {
        if !text.isEmpty { text.append(contentsOf: separator.utf8) }
        text.append(hexadecimalDigit(byte >> 4))
        text.append(hexadecimalDigit(byte & 0xf))
    }
    return String(decoding: text, as: UTF8.self)
}

/// ASCII of a digit of 0 to 15, lower case.
func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// The bytes that hexadecimal `text` spells; nil unless it is an even number of hexadecimal digits.
public func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(digits.count / 2)
    for i in stride(from: 0, to: digits.count, by: 2) {
        guard let high = nibble(digits[i]), let low = nibble(digits[i + 1]) else { return nil }
        result.append(high << 4 | low)
    }
    return result
}

private func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return digit - UInt8(ascii: "A") + 10
    default: return nil
    }
}
