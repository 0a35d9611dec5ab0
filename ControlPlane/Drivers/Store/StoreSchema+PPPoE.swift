// SPDX-License-Identifier: Apache-2.0
// Schema 4: several sessions of one line and MAC address, told apart by their PPPoE ids; the links of PPP sessions; secrets.

extension StoreSchema {
    /// The uniqueness of a line is part of the table: SQLite changes it by making the table anew.
    static let pppoe = StoreMigration(
        schema: 4,
        sql: """
            ALTER TABLE sessions RENAME TO sessions_3;
            CREATE TABLE sessions (
                id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, phase TEXT NOT NULL, node TEXT NOT NULL,
                access_domain INTEGER NOT NULL, s_vlan INTEGER NOT NULL, c_vlan INTEGER NOT NULL,
                relay INTEGER NOT NULL, mac INTEGER NOT NULL,
                s_tpid INTEGER NOT NULL, c_tpid INTEGER NOT NULL, relay_mac INTEGER NOT NULL,
                vrf INTEGER NOT NULL, pool TEXT NOT NULL, address INTEGER NOT NULL,
                client_id BLOB NOT NULL, option82 BLOB NOT NULL, host_name TEXT NOT NULL,
                started_ms INTEGER NOT NULL, lease_expires_ms INTEGER NOT NULL,
                ended_ms INTEGER NOT NULL, cause TEXT,
                port TEXT NOT NULL, user_name TEXT NOT NULL, granted TEXT NOT NULL, ends_ms INTEGER NOT NULL,
                accounted INTEGER NOT NULL,
                up_packets INTEGER NOT NULL, up_bytes INTEGER NOT NULL, down_packets INTEGER NOT NULL,
                down_bytes INTEGER NOT NULL, dropped_packets INTEGER NOT NULL,
                pppoe_id INTEGER NOT NULL, ppp TEXT NOT NULL,
                base_up_packets INTEGER NOT NULL, base_up_bytes INTEGER NOT NULL, base_down_packets INTEGER NOT NULL,
                base_down_bytes INTEGER NOT NULL, base_dropped_packets INTEGER NOT NULL,
                UNIQUE (vrf, address),
                UNIQUE (mac, access_domain, s_vlan, c_vlan, relay, pppoe_id)
            ) STRICT;
            INSERT INTO sessions SELECT
                id, generation, phase, node, access_domain, s_vlan, c_vlan, relay, mac, s_tpid, c_tpid, relay_mac,
                vrf, pool, address, client_id, option82, host_name, started_ms, lease_expires_ms, ended_ms, cause,
                port, user_name, granted, ends_ms, accounted, up_packets, up_bytes, down_packets, down_bytes,
                dropped_packets, 0, '', base_up_packets, base_up_bytes, base_down_packets, base_down_bytes,
                base_dropped_packets
                FROM sessions_3;
            DROP TABLE sessions_3;
            ALTER TABLE history ADD COLUMN pppoe_id INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE history ADD COLUMN ppp TEXT NOT NULL DEFAULT '';
            CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
            """)
}
