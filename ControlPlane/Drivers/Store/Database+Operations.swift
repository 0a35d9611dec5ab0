// SPDX-License-Identifier: Apache-2.0
// Each operation as SQL, through statements that SQLite compiled once.

import BNGCore
import Fleet
import GRDB
import Subscribers

extension Database {
    /// - Parameter now: what the NAT log says of when it was.
    func perform(_ operation: StoreOperation, at now: UTCTime) throws {
        switch operation {
        case .putSession(let record):
            // Replaces the row of the same id only: another session's line or address is a conflict, never overwritten.
            try self.put(record)
            if let nat = record.nat { try self.logGrant(nat, record, at: now) }
        case .renewLease(let id, let until):
            try self.run(
                "UPDATE sessions SET lease_expires_ms = max(lease_expires_ms, ?) WHERE id = ?",
                [.integer(until.milliseconds), .integer(id.rawValue)])
        case .renewIPv6Lease(let id, let until):
            try self.run(
                "UPDATE sessions SET ipv6_expires_ms = max(ipv6_expires_ms, ?) WHERE id = ? AND ipv6 <> ''",
                [.integer(until.milliseconds), .integer(id.rawValue)])
        case .endSession(let record):
            try self.run("DELETE FROM sessions WHERE id = ?", [.integer(record.id.rawValue)])
            try self.run(SessionRecord.intoHistory, record.arguments)
        case .putBinding(let binding):
            // An address is remembered for its last line only.
            try self.run(
                "INSERT OR REPLACE INTO bindings (\(StickyBinding.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                binding.arguments)
        case .putPrefixBinding(let binding):
            try self.run(
                """
                INSERT OR REPLACE INTO prefix_bindings (\(StickyPrefixBinding.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, binding.arguments)
        case .restNAT(let rest, let session):
            try self.run(
                "INSERT INTO nat_rests (nat, until_ms) VALUES (?, ?)",
                [.text(rest.grant.text), .integer(rest.until.milliseconds)])
            try self.logReturn(rest.grant, of: session, at: now)
        case .removeBinding(let vrf, let address):
            try self.run(
                "DELETE FROM bindings WHERE vrf = ? AND address = ?", [.integer(vrf), .integer(address.rawValue)])
        case .reserveSessionCounters(let issuer, let limit):
            try self.run(
                """
                INSERT INTO session_counters (issuer, next) VALUES (?, ?)
                ON CONFLICT (issuer) DO UPDATE SET next = max(next, excluded.next)
                """, [.integer(issuer), .integer(limit)])
        case .saveTerm(let scope, let term):
            try self.run(
                """
                INSERT INTO terms (scope, term) VALUES (?, ?)
                ON CONFLICT (scope) DO UPDATE SET term = max(term, excluded.term)
                """, [.text(scope), .integer(term)])
        case .saveSessionEpoch(let node, let epoch):
            try self.run(
                "INSERT OR REPLACE INTO node_epochs (node, session_epoch) VALUES (?, ?)",
                [.text(node), .integer(epoch)])
        case .saveGeneration(let node, let key, let generation, let content):
            try self.run(
                "INSERT OR REPLACE INTO object_generations (node, family, object, generation, content) VALUES (?, ?, ?, ?, ?)",
                [
                    .text(node), .integer(key.family.rawValue), .integer(key.id), .integer(generation),
                    .blob(content),
                ])
        case .putSubscriber(let subscriber):
            try self.run(
                """
                INSERT OR REPLACE INTO subscribers (\(LocalSubscriber.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, subscriber.arguments)
        case .removeSubscriber(let name): try self.run("DELETE FROM subscribers WHERE name = ?", [.text(name)])
        case .pruneHistory(let time):
            try self.run("DELETE FROM history WHERE ended_ms < ?", [.integer(time.milliseconds)])
            try self.run("DELETE FROM notes WHERE at_ms < ?", [.integer(time.milliseconds)])
            try self.run("DELETE FROM nat_rests WHERE until_ms < ?", [.integer(now.milliseconds)])
        case .pruneNATLog(let time): try self.pruneNATLog(returnedBefore: time)
        case .advanceNATRecords(let output, let sequence): try self.advanceNATRecords(output, to: sequence)
        case .identity(let operation): try self.perform(operation)
        default: try self.performAccounting(operation)
        }
    }

    private func put(_ record: SessionRecord) throws {
        // Replaces the row of the same id only: another session's line or address is a conflict, never overwritten.
        try self.run(
            SessionRecord.upsert,
            record.arguments + record.counterBase.arguments + record.counterBase.ipv6.arguments)
    }

    func run(_ sql: String, _ arguments: [DatabaseValue]) throws {
        // As existentials: what takes values of one type reads each by a key path.
        let values = arguments.map { $0 as (any DatabaseValueConvertible)? }
        try self.cachedStatement(sql: sql).execute(arguments: StatementArguments(values))
    }
}

extension SessionRecord {
    /// Made once: it is run for every set-up.
    fileprivate static let upsert = """
        INSERT INTO sessions (\(SessionRecord.columns), \(SessionRecord.baseColumns))
        VALUES (\(SessionRecord.placeholders(SessionRecord.columnCount + SessionRecord.baseColumnCount)))
        ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, phase = excluded.phase,
        node = excluded.node, access_domain = excluded.access_domain, s_vlan = excluded.s_vlan,
        c_vlan = excluded.c_vlan, relay = excluded.relay, mac = excluded.mac, s_tpid = excluded.s_tpid,
        c_tpid = excluded.c_tpid, relay_mac = excluded.relay_mac, vrf = excluded.vrf, pool = excluded.pool,
        address = excluded.address, client_id = excluded.client_id, option82 = excluded.option82,
        host_name = excluded.host_name, lease_expires_ms = max(lease_expires_ms, excluded.lease_expires_ms),
        ended_ms = excluded.ended_ms, cause = excluded.cause, port = excluded.port,
        user_name = excluded.user_name, granted = excluded.granted, ends_ms = excluded.ends_ms,
        accounted = excluded.accounted, up_packets = excluded.up_packets, up_bytes = excluded.up_bytes,
        down_packets = excluded.down_packets, down_bytes = excluded.down_bytes,
        dropped_packets = excluded.dropped_packets, pppoe_id = excluded.pppoe_id,
        ppp = excluded.ppp, ipv6 = excluded.ipv6,
        ipv6_expires_ms = iif(excluded.ipv6 = '', 0, max(ipv6_expires_ms, excluded.ipv6_expires_ms)),
        nat = excluded.nat, ipv6_up_packets = excluded.ipv6_up_packets, ipv6_up_bytes = excluded.ipv6_up_bytes,
        ipv6_down_packets = excluded.ipv6_down_packets, ipv6_down_bytes = excluded.ipv6_down_bytes,
        base_up_packets = excluded.base_up_packets,
        base_up_bytes = excluded.base_up_bytes, base_down_packets = excluded.base_down_packets,
        base_down_bytes = excluded.base_down_bytes, base_dropped_packets = excluded.base_dropped_packets,
        base_ipv6_up_packets = excluded.base_ipv6_up_packets, base_ipv6_up_bytes = excluded.base_ipv6_up_bytes,
        base_ipv6_down_packets = excluded.base_ipv6_down_packets,
        base_ipv6_down_bytes = excluded.base_ipv6_down_bytes
        """

    fileprivate static let intoHistory = """
        INSERT OR REPLACE INTO history (\(SessionRecord.columns))
        VALUES (\(SessionRecord.placeholders(SessionRecord.columnCount)))
        """
}
