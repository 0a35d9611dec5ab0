// SPDX-License-Identifier: Apache-2.0
// The accounting spool, counters of live sessions and the notes of their history, as SQL.

import BNGCore
import Foundation
import GRDB
import Subscribers

extension Database {
    func performAccounting(_ operation: StoreOperation) throws {
        switch operation {
        case .putAccounting(let record):
            try self.run(
                "INSERT INTO accounting (sequence, session, kind, at_ms, body) VALUES (?, ?, ?, ?, ?)",
                [
                    .integer(record.sequence), .integer(record.session), .text(record.kind.rawValue),
                    .integer(record.at.milliseconds), .blob(record.json.bytes),
                ])
        case .removeAccounting(let sequences):
            for sequence in sequences {
                try self.run("DELETE FROM accounting WHERE sequence = ?", [.integer(sequence)])
            }
        case .countSession(let id, let totals, let base):
            try self.run(
                """
                UPDATE sessions SET up_packets = ?, up_bytes = ?, down_packets = ?, down_bytes = ?, dropped_packets = ?,
                ipv6_up_packets = ?, ipv6_up_bytes = ?, ipv6_down_packets = ?, ipv6_down_bytes = ?,
                base_up_packets = ?, base_up_bytes = ?, base_down_packets = ?, base_down_bytes = ?,
                base_dropped_packets = ?, base_ipv6_up_packets = ?, base_ipv6_up_bytes = ?,
                base_ipv6_down_packets = ?, base_ipv6_down_bytes = ? WHERE id = ?
                """,
                totals.arguments + totals.ipv6.arguments + base.arguments + base.ipv6.arguments
                    + [.integer(id.rawValue)])
        case .putNote(let note):
            try self.run(
                "INSERT INTO notes (session, at_ms, kind, text) VALUES (?, ?, ?, ?)",
                [
                    .integer(note.session.rawValue), .integer(note.at.milliseconds), .text(note.kind.rawValue),
                    .text(note.text),
                ])
        case .setAccounted(let node, let accounted):
            if accounted {
                try self.run("INSERT OR IGNORE INTO accounted_nodes (node) VALUES (?)", [.text(node)])
            } else {
                try self.run("DELETE FROM accounted_nodes WHERE node = ?", [.text(node)])
            }
        default: preconditionFailure("no statement for \(operation)")
        }
    }
}

extension Store {
    /// Accounting records not yet delivered, after a sequence number, ascending. Damaged rows are an error, not skipped.
    public func accounting(after sequence: UInt64, limit: Int) throws(StoreError) -> [AccountingRecord] {
        try self.read { db in
            let decoder = JSONDecoder()
            let rows = try Row.fetchAll(
                db, sql: "SELECT body FROM accounting WHERE sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [Int64(bitPattern: sequence), limit])
            return try rows.map { try decoder.decode(AccountingRecord.self, from: $0[0]) }
        }
    }

    /// Undelivered records, and when the oldest happened.
    public func accountingBacklog() throws(StoreError) -> (count: Int, oldest: UTCTime) {
        try self.read { db in
            let row = try Row.fetchOne(db, sql: "SELECT count(*), coalesce(min(at_ms), 0) FROM accounting")
            return (row?[0] ?? 0, UTCTime(milliseconds: row?[1] ?? 0))
        }
    }

    /// The sequence number after the last one in the spool.
    public func nextAccountingSequence() throws(StoreError) -> UInt64 {
        try self.read { db in
            UInt64(bitPattern: try Int64.fetchOne(db, sql: "SELECT coalesce(max(sequence), 0) FROM accounting") ?? 0)
                + 1
        }
    }

    /// Nodes whose Accounting-On has been written and whose Accounting-Off has not.
    public func accountedNodes() throws(StoreError) -> Set<String> {
        try self.read { db in Set(try String.fetchAll(db, sql: "SELECT node FROM accounted_nodes")) }
    }

    /// What happened to a session, oldest first.
    public func notes(of session: SessionID, limit: Int = 1_000) throws(StoreError) -> [SessionNote] {
        try self.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT at_ms, kind, text FROM notes WHERE session = ? ORDER BY id LIMIT ?",
                arguments: [Int64(bitPattern: session.rawValue), limit])
            return rows.compactMap { row in
                SessionNote.Kind(rawValue: row[1]).map {
                    SessionNote(session: session, at: UTCTime(milliseconds: row[0]), kind: $0, text: row[2])
                }
            }
        }
    }

    /// What AAA granted the line's last ended session.
    public func lastGrant(of line: LineKey) throws(StoreError) -> ServiceGrant? {
        try self.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT granted, user_name FROM history WHERE mac = ? AND access_domain = ? AND s_vlan = ?
                    AND c_vlan = ? AND relay = ? ORDER BY ended_ms DESC LIMIT 1
                    """,
                arguments: [
                    Int64(line.mac.rawValue), Int64(line.accessDomain), Int64(line.sVLAN), Int64(line.cVLAN),
                    Int64(line.relay.rawValue),
                ])
            return row.flatMap { ServiceGrant(stored: $0[0], userName: $0[1]) }
        }
    }
}
