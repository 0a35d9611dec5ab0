// SPDX-License-Identifier: Apache-2.0
// Attributes by name, for the configuration, and names by attribute, for messages to people.

/// The dictionary: StandardAttributes and VendorAttributes are its pages.
public enum RADIUSDictionary {
    /// How a value reads.
    public enum Kind: Equatable, Sendable { case text, bytes, number, address }

    /// One attribute.
    public struct Entry: Equatable, Sendable {
        public var name: String
        public var key: RADIUSAttributeKey
        public var kind: Kind

        init(_ name: String, _ type: UInt8, _ kind: Kind, vendor: UInt32 = 0) {
            self.name = name
            self.key = RADIUSAttributeKey(type, vendor: vendor)
            self.kind = kind
        }
    }

    /// Every attribute known by name.
    public static let entries: [Entry] = Self.standard + Self.vendors

    private static let byName = Dictionary(
        Self.entries.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    fileprivate static let byKey = Dictionary(
        Self.entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// The attribute of a name, in any case; or of `vendor:NUMBER:TYPE`, whose value is text.
    public static func entry(named name: String) -> Entry? {
        if let entry = Self.byName[name.lowercased()] { return entry }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "vendor", let vendor = UInt32(parts[1]), let type = UInt8(parts[2]),
            vendor != 0, vendor < 1 << 24, type != 0
        else { return nil }
        return Self.byKey[RADIUSAttributeKey(type, vendor: vendor)] ?? Entry(name, type, .text, vendor: vendor)
    }

    /// How an attribute's value reads; text if nobody knows.
    public static func kind(of key: RADIUSAttributeKey) -> Kind { Self.byKey[key]?.kind ?? .text }
}

extension RADIUSAttributeKey: CustomStringConvertible {
    /// The dictionary's name, or the number.
    public var description: String {
        if let entry = RADIUSDictionary.byKey[self] { return entry.name }
        return self.vendor == 0 ? "attribute \(self.type)" : "vendor:\(self.vendor):\(self.type)"
    }
}
