// SPDX-License-Identifier: Apache-2.0
// Sessions of one shard by what operators and AAA servers name them by. Every look-up is constant time.

import BNGCore
import Subscribers

/// Which sessions belong to a user, an address, a MAC address or a VLAN.
struct SessionIndex {
    private enum Key: Hashable {
        case user(String)
        case address(IPv4Address)
        case mac(MACAddress)
        case vlan(UInt16, UInt16)
        case prefix(IPv6Prefix)
    }

    /// By the hash of a key, which is a third of its size: there are seven for a dual-stack session. That two keys have the same hash
    /// adds a candidate, and every candidate is compared with what was asked for.
    private var one: [Int: SessionID] = [:]
    /// The keys that more than one session has.
    private var many: [Int: Set<SessionID>] = [:]

    private static func keys(of record: SessionRecord) -> [Key] {
        var keys: [Key] = [.mac(record.line.mac)]
        if record.address != .zero { keys.append(.address(record.address)) }
        if !record.grant.userName.isEmpty { keys.append(.user(record.grant.userName)) }
        if record.line.sVLAN != 0 { keys.append(.vlan(record.line.sVLAN, record.line.cVLAN)) }
        return keys + (record.ipv6?.resources ?? []).map { .prefix($0.prefix) }
    }

    mutating func add(_ record: SessionRecord) {
        for key in Self.keys(of: record) {
            let hash = key.hashValue
            if self.many[hash]?.insert(record.id) != nil { continue }
            guard let other = self.one[hash] else {
                self.one[hash] = record.id
                continue
            }
            guard other != record.id else { continue }
            self.one[hash] = nil
            self.many[hash] = [other, record.id]
        }
    }

    mutating func remove(_ record: SessionRecord) {
        for key in Self.keys(of: record) { self.remove(record.id, from: key) }
    }

    /// The session holds the address no more.
    mutating func forget(_ address: IPv4Address, of id: SessionID) { self.remove(id, from: .address(address)) }

    mutating func forget(_ prefixes: [IPv6Prefix], of id: SessionID) {
        for prefix in prefixes { self.remove(id, from: .prefix(prefix)) }
    }

    private mutating func remove(_ id: SessionID, from key: Key) {
        let hash = key.hashValue
        if self.one[hash] == id { return self.one[hash] = nil }
        guard self.many[hash]?.remove(id) != nil, let rest = self.many[hash], rest.count == 1 else { return }
        self.many[hash] = nil
        self.one[hash] = rest.first
    }

    private subscript(_ key: Key) -> [SessionID] {
        let hash = key.hashValue
        return self.one[hash].map { [$0] } ?? self.many[hash].map(Array.init) ?? []
    }

    /// Sessions that may be the user's; each must still be compared.
    func candidates(user: String) -> [SessionID] { self[.user(user)] }

    /// Sessions that may be meant; each must still be compared with the whole target.
    func candidates(for target: DynamicAuthorization.Target) -> [SessionID] {
        if let address = target.address { return self[.address(address)] }
        if let ipv6 = target.ipv6 { return self[.prefix(IPv6Prefix(holding: ipv6, length: 128))] }
        if let prefix = target.prefixes.first { return self[.prefix(prefix)] }
        if let mac = target.mac { return self[.mac(mac)] }
        if let user = target.userName { return self[.user(user)] }
        guard let tags = target.portID.flatMap(Self.tags(ofPort:)) else { return [] }
        return self[.vlan(tags.0, tags.1)]
    }

    /// The tags of `node/port:s.c` or `node/port:s`; nil for an untagged port, which is no single customer.
    private static func tags(ofPort text: String) -> (UInt16, UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let parts = text[text.index(after: colon)...].split(separator: ".").map { UInt16($0) }
        switch parts.count {
        case 1: return parts[0].map { ($0, 0) }
        case 2:
            guard let outer = parts[0], let inner = parts[1] else { return nil }
            return (outer, inner)
        default: return nil
        }
    }
}
