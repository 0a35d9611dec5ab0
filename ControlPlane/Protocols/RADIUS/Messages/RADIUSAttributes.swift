// SPDX-License-Identifier: Apache-2.0
// The attributes of a packet, kept as they are on the wire: unknown ones survive, and nothing is copied that nobody asks for.

import BNGCore

/// What an attribute is: its vendor's number (0: none, an RFC's attribute) and its type.
public struct RADIUSAttributeKey: Hashable, Sendable {
    public var vendor: UInt32
    public var type: UInt8

    public init(_ type: UInt8, vendor: UInt32 = 0) {
        self.vendor = vendor
        self.type = type
    }
}

/// One attribute taken out of a packet.
public struct RADIUSAttribute: Equatable, Sendable {
    public var key: RADIUSAttributeKey
    public var value: ArraySlice<UInt8>

    public init(key: RADIUSAttributeKey, value: ArraySlice<UInt8>) {
        self.key = key
        self.value = value
    }
}

/// A list of attributes that always fits one packet. Order is kept.
public struct RADIUSAttributes: Equatable, Sendable {
    /// What 4096 bytes of packet leave (RFC 2865 3).
    public static let byteLimit = 4_076
    /// Longest value of an attribute.
    public static let valueLimit = 253
    /// Longest value of a vendor's attribute that stands alone in its Vendor-Specific attribute.
    public static let vendorValueLimit = 247

    /// The encoded list; well-formed by construction.
    public private(set) var bytes: [UInt8] = []

    public init() {
        // What a request of a dual-stack session takes.
        self.bytes.reserveCapacity(384)
    }

    /// Takes over a list that the codec has checked.
    init(checked bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var isEmpty: Bool { self.bytes.isEmpty }

    /// Adds an attribute, a vendor's one in a Vendor-Specific attribute of its own. False, and nothing added, if the value is
    /// too long or the packet full.
    @discardableResult
    public mutating func append(_ key: RADIUSAttributeKey, _ value: some Collection<UInt8>) -> Bool {
        let head = key.vendor == 0 ? 2 : 8
        guard value.count + head <= 255, self.bytes.count + value.count + head <= Self.byteLimit else { return false }
        if key.vendor != 0 {
            self.bytes.append(RADIUSAttributeKey.vendorSpecific.type)
            self.bytes.append(UInt8(value.count + head))
            self.bytes.appendBigEndian(key.vendor)
        }
        self.bytes.append(key.type)
        self.bytes.append(UInt8(value.count + 2))
        self.bytes.append(contentsOf: value)
        return true
    }

    /// Adds a number of four bytes.
    @discardableResult
    public mutating func append(_ key: RADIUSAttributeKey, _ value: UInt32) -> Bool {
        self.append(key, IPv4Address(rawValue: value).bytes)
    }

    /// Adds an address.
    @discardableResult
    public mutating func append(_ key: RADIUSAttributeKey, _ value: IPv4Address) -> Bool {
        self.append(key, value.bytes)
    }

    /// Adds text, shortened to what fits; RFC 2865 5 has no empty text, so that adds nothing.
    @discardableResult
    public mutating func append(_ key: RADIUSAttributeKey, text: String) -> Bool {
        let limit = key.vendor == 0 ? Self.valueLimit : Self.vendorValueLimit
        var rest = text[...]
        while rest.utf8.count > limit { rest = rest.dropLast() }
        return rest.isEmpty ? false : self.append(key, rest.utf8)
    }

    /// The list with a Message-Authenticator of zeros in front and no other; what then no longer fits is left out.
    func withSignaturePlace() -> RADIUSAttributes {
        var result = RADIUSAttributes()
        result.append(.messageAuthenticator, [UInt8](repeating: 0, count: 16))
        var offset = 0
        while let (type, value) = self.element(at: offset) {
            if type != RADIUSAttributeKey.messageAuthenticator.type { result.append(RADIUSAttributeKey(type), value) }
            offset = value.endIndex
        }
        return result
    }

    /// The attributes in order, those of vendors taken out of their Vendor-Specific attribute one by one. A Vendor-Specific
    /// attribute that cannot be taken apart appears as itself: not every vendor keeps to RFC 2865 5.26.
    public var all: [RADIUSAttribute] {
        var found: [RADIUSAttribute] = []
        var offset = 0
        while let (type, value) = self.element(at: offset) {
            offset = value.endIndex
            let key = RADIUSAttributeKey(type)
            if key != .vendorSpecific || !self.takeApart(value, into: &found) {
                found.append(RADIUSAttribute(key: key, value: value))
            }
        }
        return found
    }

    private func element(at offset: Int) -> (type: UInt8, value: ArraySlice<UInt8>)? {
        guard offset + 2 <= self.bytes.count else { return nil }
        return (self.bytes[offset], self.bytes[offset + 2..<offset + Int(self.bytes[offset + 1])])
    }

    private func takeApart(_ value: ArraySlice<UInt8>, into found: inout [RADIUSAttribute]) -> Bool {
        guard value.count >= 6 else { return false }
        let vendor = value.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        guard vendor != 0 else { return false }
        var parts: [RADIUSAttribute] = []
        var rest = value.dropFirst(4)
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex + 1])
            guard length >= 2, length <= rest.count else { return false }
            let key = RADIUSAttributeKey(rest[rest.startIndex], vendor: vendor)
            parts.append(RADIUSAttribute(key: key, value: rest.prefix(length).dropFirst(2)))
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else { return false }
        found += parts
        return true
    }

    /// The values of an attribute, in order.
    public func values(_ key: RADIUSAttributeKey) -> [ArraySlice<UInt8>] {
        self.all.filter { $0.key == key }.map(\.value)
    }

    /// The value of the first attribute of this kind.
    public func first(_ key: RADIUSAttributeKey) -> ArraySlice<UInt8>? {
        self.all.first { $0.key == key }?.value
    }
}

extension ArraySlice<UInt8> {
    /// The value as a number of four bytes; nil if it has another length.
    public var radiusInteger: UInt32? {
        self.count == 4 ? self.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// The value as text: nil if it is empty or not UTF-8. Bytes of zero at the end, which some servers send, are cut.
    public var radiusText: String? {
        var text = self
        while text.last == 0 { text = text.dropLast() }
        return text.isEmpty ? nil : String(validating: text, as: UTF8.self)
    }
}
