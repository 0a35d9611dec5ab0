// SPDX-License-Identifier: Apache-2.0
// Blocks that rest, as rows; and the text of a session's grant.

import BNGCore
import GRDB
import Subscribers

extension NATGrant {
    /// `.some(nil)` for the empty text of a session without NAT; nil if the text is none that any version wrote.
    static func from(_ text: String) -> NATGrant?? {
        guard !text.isEmpty else { return .some(nil) }
        return NATGrant(text: text).map { .some($0) }
    }
}

extension NATRest {
    static func all(_ db: Database) throws -> [NATRest] {
        try Row.fetchAll(db, sql: "SELECT nat, until_ms FROM nat_rests ORDER BY until_ms").map { row in
            guard let grant = NATGrant(text: row[0]) else { throw StoreError.database("a damaged NAT rest: \(row)") }
            return NATRest(grant: grant, until: UTCTime(milliseconds: row[1]))
        }
    }
}

extension StoreSchema {
    /// What sessions hold of public addresses, and what rests after them.
    static let nat = StoreMigration(
        schema: 6,
        sql: """
            ALTER TABLE sessions ADD COLUMN nat TEXT NOT NULL DEFAULT '';
            ALTER TABLE history ADD COLUMN nat TEXT NOT NULL DEFAULT '';
            CREATE TABLE nat_rests (id INTEGER PRIMARY KEY, nat TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT;
            CREATE INDEX nat_rests_until ON nat_rests (until_ms);
            """)
}
