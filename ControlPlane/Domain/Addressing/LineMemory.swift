// SPDX-License-Identifier: Apache-2.0
// What lines held last, and who holds a prefix: tables with an entry for every session there is, and so as small as can be.

import BNGCore

/// By the hash of the line, a quarter of its size. Lines whose hashes are the same forget each other's: what is remembered is only
/// tried first, and given if it is free for that line.
struct LineMemory<Value: Sendable>: Sendable {
    private var values: [Int: Value] = [:]

    subscript(line: LineKey) -> Value? {
        get { self.values[line.hashValue] }
        set { self.values[line.hashValue] = newValue }
    }
}

/// By prefixes that are all of one length, which is therefore not kept with each.
struct PrefixTable<Value: Sendable>: Sendable {
    let length: Int
    private var values: [IPv6Address: Value] = [:]

    init(length: Int) { self.length = length }

    /// - Precondition: what is set has the table's length.
    subscript(prefix: IPv6Prefix) -> Value? {
        get { prefix.length == self.length ? self.values[prefix.address] : nil }
        set {
            precondition(prefix.length == self.length, "\(prefix) in a table of /\(self.length)")
            self.values[prefix.address] = newValue
        }
    }
}
