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

    /// One id without an array around it: nearly every key has just one.
    private enum Entry {
        case one(SessionID)
        case many(Set<SessionID>)

        var ids: [SessionID] {
            switch self {
            case .one(let id): return [id]
            case .many(let ids): return Array(ids)
            }
        }
    }

    private var entries: [Key: Entry] = [:]

    private static func keys(of record: SessionRecord) -> [Key] {
        var keys: [Key] = [.mac(record.line.mac)]
        if record.address != .zero { keys.append(.address(record.address)) }
        if !record.grant.userName.isEmpty { keys.append(.user(record.grant.userName)) }
        if record.line.sVLAN != 0 { keys.append(.vlan(record.line.sVLAN, record.line.cVLAN)) }
        return keys + (record.ipv6?.resources ?? []).map { .prefix($0.prefix) }
    }

    mutating func add(_ record: SessionRecord) {
        for key in Self.keys(of: record) {
            switch self.entries[key] {
            case nil: self.entries[key] = .one(record.id)
            case .one(record.id): break
            case .one(let other): self.entries[key] = .many([other, record.id])
            case .many(var ids):
                self.entries[key] = nil
                ids.insert(record.id)
                self.entries[key] = .many(ids)
            }
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
        switch self.entries[key] {
        case .one(id): self.entries[key] = nil
        case .many(var ids):
            self.entries[key] = nil
            ids.remove(id)
            if let first = ids.first { self.entries[key] = ids.count == 1 ? .one(first) : .many(ids) }
        default: break
        }
    }

    func sessions(user: String) -> [SessionID] { self.entries[.user(user)]?.ids ?? [] }

    /// Sessions that may be meant; each must still be compared with the whole target.
    func candidates(for target: DynamicAuthorization.Target) -> [SessionID] {
        if let address = target.address { return self.entries[.address(address)]?.ids ?? [] }
        if let ipv6 = target.ipv6 { return self.entries[.prefix(IPv6Prefix(holding: ipv6, length: 128))]?.ids ?? [] }
        if let prefix = target.prefixes.first { return self.entries[.prefix(prefix)]?.ids ?? [] }
        if let mac = target.mac { return self.entries[.mac(mac)]?.ids ?? [] }
        if let user = target.userName { return self.entries[.user(user)]?.ids ?? [] }
        guard let tags = target.portID.flatMap(Self.tags(ofPort:)) else { return [] }
        return self.entries[.vlan(tags.0, tags.1)]?.ids ?? []
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
