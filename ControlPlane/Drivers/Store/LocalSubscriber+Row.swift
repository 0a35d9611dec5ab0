// SPDX-License-Identifier: Apache-2.0
// Local subscribers as rows: their table, since schema 3 (its IPv6 columns since 5), and both directions of a row.

import BNGCore
import GRDB
import Subscribers

extension StoreSchema {
    static let subscribers = StoreMigration(
        schema: 3,
        sql: """
            CREATE TABLE subscribers (
                name TEXT PRIMARY KEY, password TEXT, plan TEXT, address INTEGER, pool TEXT,
                routes TEXT NOT NULL, suspended INTEGER NOT NULL, note TEXT NOT NULL
            ) WITHOUT ROWID, STRICT;
            """)
}

extension LocalSubscriber {
    static let columns =
        "name, password, plan, address, pool, routes, suspended, note, ipv6_prefix, delegated_prefix, ipv6_address"

    var arguments: [DatabaseValue] {
        let routes =
            self.routes.map(\.description) + self.ipv6Routes.map(\.description) + self.forwards.map(\.description)
        return [
            .text(self.name), .textOrNull(self.password?.text), .textOrNull(self.plan),
            self.address.map { .integer($0.rawValue) } ?? .null, .textOrNull(self.pool),
            .text(routes.joined(separator: " ")), .boolean(self.isSuspended), .text(self.note),
            .textOrNull(self.linkPrefix?.description), .textOrNull(self.delegatedPrefix?.description),
            .textOrNull(self.ipv6Address?.description),
        ]
    }

    /// nil if a column holds what no version wrote.
    init?(_ row: Row) {
        self.init(name: row[0], origin: .store)
        let password: String? = row[1]
        self.password = password.flatMap(PasswordRecord.init(text:))
        self.plan = row[2]
        let address: Int64? = row[3]
        self.address = address.map { IPv4Address(rawValue: UInt32(clamping: $0)) }
        self.pool = row[4]
        let routes = (row[5] as String).split(separator: " ").map(String.init)
        self.routes = routes.compactMap { IPv4Prefix($0) }
        self.ipv6Routes = routes.compactMap { IPv6Prefix($0) }
        self.forwards = routes.compactMap { PortForward($0) }
        (self.isSuspended, self.note) = (row[6], row[7])
        let (link, delegated, ipv6): (String?, String?, String?) = (row[8], row[9], row[10])
        self.linkPrefix = link.flatMap { IPv6Prefix($0) }
        self.delegatedPrefix = delegated.flatMap { IPv6Prefix($0) }
        self.ipv6Address = ipv6.flatMap { IPv6Address($0) }
        // A password that is lost here would make a login out of a line's name.
        guard (self.password == nil) == (password == nil), (self.linkPrefix == nil) == (link == nil),
            (self.delegatedPrefix == nil) == (delegated == nil), (self.ipv6Address == nil) == (ipv6 == nil),
            self.routes.count + self.ipv6Routes.count + self.forwards.count == routes.count
        else { return nil }
    }

    static func all(_ db: Database) throws -> [LocalSubscriber] {
        var subscribers: [LocalSubscriber] = []
        let rows = try Row.fetchCursor(db, sql: "SELECT \(Self.columns) FROM subscribers ORDER BY name")
        while let row = try rows.next() {
            // Named, not printed: the row may hold a password.
            guard let subscriber = LocalSubscriber(row) else {
                throw StoreError.database("a damaged row of subscriber \(row[0] as String)")
            }
            subscribers.append(subscriber)
        }
        return subscribers
    }
}
