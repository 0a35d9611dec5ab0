// SPDX-License-Identifier: Apache-2.0
// A list of options that keeps order and bytes; repeated codes are one long option (RFC 3396).

import BNGCore

/// Options in the order they stood in the message, without pad and end.
public struct DHCPv4Options: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var code: UInt8
        var start: Int
        var count: Int
    }

    private(set) var entries: [Entry] = []
    private(set) var bytes: [UInt8] = []

    public init() {}

    /// Number of options; a repeated code counts once.
    public var count: Int { self.entries.count }

    /// Codes in order of first appearance.
    public var codes: [UInt8] { self.entries.map(\.code) }

    /// The value of an option; all its parts joined (RFC 3396 section 7).
    public subscript(_ code: UInt8) -> ArraySlice<UInt8>? {
        guard let entry = self.entries.first(where: { $0.code == code }) else { return nil }
        return self.bytes[entry.start..<(entry.start + entry.count)]
    }

    /// Adds an option, or appends to the one with the same code.
    public mutating func append(_ code: UInt8, _ value: some Collection<UInt8>) {
        if let index = self.entries.firstIndex(where: { $0.code == code }) {
            let entry = self.entries[index]
            let joined = Array(self.bytes[entry.start..<(entry.start + entry.count)]) + value
            self.entries[index] = Entry(code: code, start: self.bytes.count, count: joined.count)
            self.bytes += joined
            return
        }
        self.entries.append(Entry(code: code, start: self.bytes.count, count: value.count))
        self.bytes += value
    }

    public mutating func append(_ code: UInt8, _ address: IPv4Address) {
        self.append(code, address.bytes)
    }

    public mutating func append(_ code: UInt8, _ value: UInt32) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        self.append(code, bytes)
    }

    public static func == (a: DHCPv4Options, b: DHCPv4Options) -> Bool {
        a.codes == b.codes && a.codes.allSatisfy { a[$0] == b[$0] }
    }
}
