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
            CREATE TABLE nat_log (
                id INTEGER PRIMARY KEY, vrf INTEGER NOT NULL, address INTEGER NOT NULL,
                first_port INTEGER NOT NULL, last_port INTEGER NOT NULL,
                granted_ms INTEGER NOT NULL, returned_ms INTEGER,
                session INTEGER NOT NULL, node TEXT NOT NULL, line TEXT NOT NULL, user_name TEXT NOT NULL,
                inside INTEGER NOT NULL, pool TEXT NOT NULL
            ) STRICT;
            CREATE INDEX nat_log_address ON nat_log (vrf, address, granted_ms);
            CREATE UNIQUE INDEX nat_log_held ON nat_log (session, address, first_port) WHERE returned_ms IS NULL;
            CREATE INDEX nat_log_returned ON nat_log (returned_ms) WHERE returned_ms IS NOT NULL;
            """)
}
