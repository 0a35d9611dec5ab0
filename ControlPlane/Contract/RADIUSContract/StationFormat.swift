// SPDX-License-Identifier: Apache-2.0
// How a MAC address is written in Calling-Station-Id.

import BNGCore

/// A way of writing a MAC address; the raw value is an example of it.
public enum StationFormat: String, Sendable, CaseIterable {
    /// RFC 3580 3.21.
    case upperDashes = "AA-BB-CC-DD-EE-FF"
    case lowerDashes = "aa-bb-cc-dd-ee-ff"
    case upperColons = "AA:BB:CC:DD:EE:FF"
    case lowerColons = "aa:bb:cc:dd:ee:ff"
    case upperPlain = "AABBCCDDEEFF"
    case lowerPlain = "aabbccddeeff"
    case dots = "aabb.ccdd.eeff"

    /// The address in this format.
    public func text(_ mac: MACAddress) -> String {
        switch self {
        case .upperDashes: return hexadecimal(mac.bytes, separator: "-").uppercased()
        case .lowerDashes: return hexadecimal(mac.bytes, separator: "-")
        case .upperColons: return hexadecimal(mac.bytes, separator: ":").uppercased()
        case .lowerColons: return hexadecimal(mac.bytes, separator: ":")
        case .upperPlain: return hexadecimal(mac.bytes).uppercased()
        case .lowerPlain: return hexadecimal(mac.bytes)
        case .dots:
            let digits = Array(hexadecimal(mac.bytes))
            return [digits[0..<4], digits[4..<8], digits[8..<12]].map { String($0) }.joined(separator: ".")
        }
    }

    /// The address of a text in any of the formats.
    public static func address(_ text: String) -> MACAddress? {
        let digits = text.filter { !"-:.".contains($0) }
        guard digits.utf8.count == 12, text.utf8.count <= 17, let bytes = bytes(hexadecimal: digits) else { return nil }
        return MACAddress(bytes)
    }
}
