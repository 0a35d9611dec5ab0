// SPDX-License-Identifier: Apache-2.0
// Schema 5: the IPv6 half of sessions, sessions without an IPv4 address, prefixes remembered for their lines.

extension StoreSchema {
    /// An address is unique unless it is none: a partial index, for which the table is made anew.
    static let ipv6 = StoreMigration(
        schema: 5,
        sql: """
            ALTER TABLE sessions RENAME TO sessions_4;
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
                ipv6 TEXT NOT NULL, ipv6_expires_ms INTEGER NOT NULL,
                ipv6_up_packets INTEGER NOT NULL, ipv6_up_bytes INTEGER NOT NULL,
                ipv6_down_packets INTEGER NOT NULL, ipv6_down_bytes INTEGER NOT NULL,
                base_up_packets INTEGER NOT NULL, base_up_bytes INTEGER NOT NULL, base_down_packets INTEGER NOT NULL,
                base_down_bytes INTEGER NOT NULL, base_dropped_packets INTEGER NOT NULL,
                base_ipv6_up_packets INTEGER NOT NULL, base_ipv6_up_bytes INTEGER NOT NULL,
                base_ipv6_down_packets INTEGER NOT NULL, base_ipv6_down_bytes INTEGER NOT NULL,
                UNIQUE (mac, access_domain, s_vlan, c_vlan, relay, pppoe_id)
            ) STRICT;
            CREATE UNIQUE INDEX sessions_address ON sessions (vrf, address) WHERE address <> 0;
            INSERT INTO sessions SELECT
                id, generation, phase, node, access_domain, s_vlan, c_vlan, relay, mac, s_tpid, c_tpid, relay_mac,
                vrf, pool, address, client_id, option82, host_name, started_ms, lease_expires_ms, ended_ms, cause,
                port, user_name, granted, ends_ms, accounted, up_packets, up_bytes, down_packets, down_bytes,
                dropped_packets, pppoe_id, ppp, '', 0, 0, 0, 0, 0, base_up_packets, base_up_bytes, base_down_packets,
                base_down_bytes, base_dropped_packets, 0, 0, 0, 0
                FROM sessions_4;
            DROP TABLE sessions_4;
            ALTER TABLE history ADD COLUMN ipv6 TEXT NOT NULL DEFAULT '';
            ALTER TABLE history ADD COLUMN ipv6_expires_ms INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE history ADD COLUMN ipv6_up_packets INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE history ADD COLUMN ipv6_up_bytes INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE history ADD COLUMN ipv6_down_packets INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE history ADD COLUMN ipv6_down_bytes INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE subscribers ADD COLUMN ipv6_prefix TEXT;
            ALTER TABLE subscribers ADD COLUMN delegated_prefix TEXT;
            ALTER TABLE subscribers ADD COLUMN ipv6_address TEXT;
            CREATE TABLE prefix_bindings (
                access_domain INTEGER NOT NULL, s_vlan INTEGER NOT NULL, c_vlan INTEGER NOT NULL,
                relay INTEGER NOT NULL, mac INTEGER NOT NULL, vrf INTEGER NOT NULL,
                pool TEXT NOT NULL, prefix TEXT NOT NULL, reserved_until_ms INTEGER NOT NULL,
                declined INTEGER NOT NULL,
                PRIMARY KEY (vrf, prefix)
            ) WITHOUT ROWID, STRICT;
            """)
}
