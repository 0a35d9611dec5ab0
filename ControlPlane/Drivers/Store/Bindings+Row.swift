// SPDX-License-Identifier: Apache-2.0
// What lines held last, as rows: addresses and prefixes.

import BNGCore
import GRDB
import Subscribers

extension StickyBinding {
    static let columns = "access_domain, s_vlan, c_vlan, relay, mac, vrf, pool, address, reserved_until_ms, declined"

    var arguments: [DatabaseValue] {
        self.line.arguments + [
            .integer(self.vrf), .text(self.pool), .integer(self.address.rawValue),
            .integer(self.reservedUntil.milliseconds), .boolean(self.declined),
        ]
    }

    init?(_ row: Row) {
        guard let line = LineKey(row, at: 0) else { return nil }
        self.init(
            line: line, vrf: UInt32(clamping: row[5] as Int64), pool: row[6],
            address: IPv4Address(rawValue: UInt32(clamping: row[7] as Int64)),
            reservedUntil: UTCTime(milliseconds: row[8]), declined: row[9])
    }
}

extension StickyPrefixBinding {
    static let columns = "access_domain, s_vlan, c_vlan, relay, mac, vrf, pool, prefix, reserved_until_ms, declined"

    var arguments: [DatabaseValue] {
        self.line.arguments + [
            .integer(self.vrf), .text(self.pool), .text(self.prefix.description),
            .integer(self.reservedUntil.milliseconds), .boolean(self.declined),
        ]
    }

    init?(_ row: Row) {
        guard let line = LineKey(row, at: 0), let prefix = IPv6Prefix(row[7]) else { return nil }
        self.init(
            line: line, vrf: UInt32(clamping: row[5] as Int64), pool: row[6], prefix: prefix,
            reservedUntil: UTCTime(milliseconds: row[8]), declined: row[9])
    }

    static func all(_ db: Database) throws -> [StickyPrefixBinding] {
        var bindings: [StickyPrefixBinding] = []
        let rows = try Row.fetchCursor(
            db, sql: "SELECT \(Self.columns) FROM prefix_bindings ORDER BY reserved_until_ms, prefix")
        while let row = try rows.next() {
            guard let binding = StickyPrefixBinding(row) else {
                throw StoreError.database("a damaged prefix binding: \(row)")
            }
            bindings.append(binding)
        }
        return bindings
    }
}
