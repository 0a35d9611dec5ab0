// SPDX-License-Identifier: Apache-2.0
// The tables, and how older files become newer ones: forward only, each step in a transaction, a backup of the file before.

import Foundation
import GRDB

/// One step from a schema to the next.
struct StoreMigration: Sendable {
    /// The schema number after this step.
    var schema: Int
    var sql: String
}

enum StoreSchema {
    static let migrations: [StoreMigration] = [
        StoreMigration(
            schema: 1,
            sql: """
                CREATE TABLE terms (scope TEXT PRIMARY KEY, term INTEGER NOT NULL) WITHOUT ROWID, STRICT;
                CREATE TABLE session_counters (issuer INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;
                CREATE TABLE node_epochs (node TEXT PRIMARY KEY, session_epoch INTEGER NOT NULL) WITHOUT ROWID, STRICT;
                CREATE TABLE object_generations (
                    node TEXT NOT NULL, family INTEGER NOT NULL, object INTEGER NOT NULL,
                    generation INTEGER NOT NULL, content BLOB NOT NULL,
                    PRIMARY KEY (node, family, object)
                ) WITHOUT ROWID, STRICT;
                CREATE TABLE sessions (
                    id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, phase TEXT NOT NULL, node TEXT NOT NULL,
                    access_domain INTEGER NOT NULL, s_vlan INTEGER NOT NULL, c_vlan INTEGER NOT NULL,
                    relay INTEGER NOT NULL, mac INTEGER NOT NULL,
                    s_tpid INTEGER NOT NULL, c_tpid INTEGER NOT NULL, relay_mac INTEGER NOT NULL,
                    vrf INTEGER NOT NULL, pool TEXT NOT NULL, address INTEGER NOT NULL,
                    client_id BLOB NOT NULL, option82 BLOB NOT NULL, host_name TEXT NOT NULL,
                    started_ms INTEGER NOT NULL, lease_expires_ms INTEGER NOT NULL,
                    ended_ms INTEGER NOT NULL, cause TEXT,
                    UNIQUE (vrf, address),
                    UNIQUE (mac, access_domain, s_vlan, c_vlan, relay)
                ) STRICT;
                CREATE TABLE history (
                    id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, phase TEXT NOT NULL, node TEXT NOT NULL,
                    access_domain INTEGER NOT NULL, s_vlan INTEGER NOT NULL, c_vlan INTEGER NOT NULL,
                    relay INTEGER NOT NULL, mac INTEGER NOT NULL,
                    s_tpid INTEGER NOT NULL, c_tpid INTEGER NOT NULL, relay_mac INTEGER NOT NULL,
                    vrf INTEGER NOT NULL, pool TEXT NOT NULL, address INTEGER NOT NULL,
                    client_id BLOB NOT NULL, option82 BLOB NOT NULL, host_name TEXT NOT NULL,
                    started_ms INTEGER NOT NULL, lease_expires_ms INTEGER NOT NULL,
                    ended_ms INTEGER NOT NULL, cause TEXT,
                    up_packets INTEGER NOT NULL, up_bytes INTEGER NOT NULL,
                    down_packets INTEGER NOT NULL, down_bytes INTEGER NOT NULL, dropped_packets INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX history_ended ON history (ended_ms);
                CREATE TABLE bindings (
                    access_domain INTEGER NOT NULL, s_vlan INTEGER NOT NULL, c_vlan INTEGER NOT NULL,
                    relay INTEGER NOT NULL, mac INTEGER NOT NULL, vrf INTEGER NOT NULL,
                    pool TEXT NOT NULL, address INTEGER NOT NULL, reserved_until_ms INTEGER NOT NULL,
                    declined INTEGER NOT NULL,
                    PRIMARY KEY (vrf, address)
                ) WITHOUT ROWID, STRICT;
                """),
        // What AAA granted, accounting, the history of changes.
        StoreMigration(
            schema: 2,
            sql: """
                ALTER TABLE sessions ADD COLUMN port TEXT NOT NULL DEFAULT '';
                ALTER TABLE sessions ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
                ALTER TABLE sessions ADD COLUMN granted TEXT NOT NULL DEFAULT '';
                ALTER TABLE sessions ADD COLUMN ends_ms INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN accounted INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE history ADD COLUMN port TEXT NOT NULL DEFAULT '';
                ALTER TABLE history ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
                ALTER TABLE history ADD COLUMN granted TEXT NOT NULL DEFAULT '';
                ALTER TABLE history ADD COLUMN ends_ms INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE history ADD COLUMN accounted INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN up_packets INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN up_bytes INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN down_packets INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN down_bytes INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN dropped_packets INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN base_up_packets INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN base_up_bytes INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN base_down_packets INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN base_down_bytes INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN base_dropped_packets INTEGER NOT NULL DEFAULT 0;
                CREATE INDEX history_mac ON history (mac);
                CREATE INDEX history_user ON history (user_name) WHERE user_name <> '';
                CREATE TABLE accounting (
                    sequence INTEGER PRIMARY KEY, session INTEGER NOT NULL, kind TEXT NOT NULL, at_ms INTEGER NOT NULL,
                    body BLOB NOT NULL
                ) STRICT;
                CREATE TABLE accounted_nodes (node TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
                CREATE TABLE notes (
                    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
                    text TEXT NOT NULL
                ) STRICT;
                CREATE INDEX notes_session ON notes (session);
                """),
        StoreSchema.subscribers,
        StoreSchema.pppoe,
        StoreSchema.ipv6,
        StoreSchema.nat,
        StoreSchema.natRecords,
        StoreSchema.identities,
    ]

    /// Brings a database to the newest schema.
    /// - Returns: the backup made before the first step, if there was something to back up.
    static func migrate(
        _ database: DatabasePool, path: String, with migrations: [StoreMigration]
    ) throws -> String? {
        let found = try database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } ?? 0
        let known = migrations.last?.schema ?? 0
        guard found <= known else { throw StoreError.newerSchema(found: found, known: known) }
        var backup: String?
        for migration in migrations where migration.schema > found {
            if found > 0, backup == nil {
                let target = "\(path).schema-\(found).backup"
                if FileManager.default.fileExists(atPath: target) { try FileManager.default.removeItem(atPath: target) }
                try database.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [target]) }
                backup = target
            }
            try database.write { db in
                try db.execute(sql: migration.sql)
                try db.execute(sql: "PRAGMA user_version = \(migration.schema)")
            }
        }
        return backup
    }
}
