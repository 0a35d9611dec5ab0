// SPDX-License-Identifier: Apache-2.0
// The spool of NAT records: what the NAT log begins to say is copied, in the same transaction, under an ever-growing number, until
// every output has delivered it. Nothing is copied while there are no outputs.

import BNGCore
import GRDB
import Subscribers

extension StoreSchema {
    /// Records that wait, how far each output has got, and the index by which the log is asked.
    static let natRecords = StoreMigration(
        schema: 7,
        sql: """
            CREATE TABLE nat_records (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT, vrf INTEGER NOT NULL, address INTEGER NOT NULL,
                first_port INTEGER NOT NULL, last_port INTEGER NOT NULL,
                granted_ms INTEGER NOT NULL, returned_ms INTEGER,
                session INTEGER NOT NULL, node TEXT NOT NULL, line TEXT NOT NULL, user_name TEXT NOT NULL,
                inside INTEGER NOT NULL, pool TEXT NOT NULL
            ) STRICT;
            CREATE TABLE nat_outputs (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID, STRICT;
            DROP INDEX nat_log_address;
            CREATE INDEX nat_log_block ON nat_log (vrf, address, first_port, granted_ms, last_port);
            """)
}

extension Database {
    func advanceNATRecords(_ output: String, to sequence: UInt64) throws {
        try self.run(
            "UPDATE nat_outputs SET sequence = max(sequence, ?) WHERE name = ?", [.integer(sequence), .text(output)])
        try self.run("DELETE FROM nat_records WHERE sequence <= (SELECT min(sequence) FROM nat_outputs)", [])
    }

    fileprivate var lastNATRecord: Int64 {
        get throws {
            try Int64.fetchOne(self, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'nat_records'") ?? 0
        }
    }
}

extension StoreOperation {
    /// Whether the NAT log may say more after it.
    var touchesNATLog: Bool {
        switch self {
        case .putSession(let record): return record.nat != nil
        case .restNAT: return true
        default: return false
        }
    }
}

extension Store {
    /// Says who is told of grants and returns from now on. Call it before `load`, which closes what a killed process was giving back.
    /// A new output begins with what happens next; what waits for one that is gone, is forgotten.
    /// - Parameters:
    ///   - outputs: none: no records are kept.
    ///   - limit: records kept at most for outputs that are behind; beyond it the oldest are dropped.
    /// - Returns: the number of the last record each output has delivered.
    public func keepNATRecords(for outputs: [String], limit: Int) throws(StoreError) -> [String: UInt64] {
        let columns = NATLogEntry.columns
        return try self.write { db in
            let last = try db.lastNATRecord
            for known in try String.fetchAll(db, sql: "SELECT name FROM nat_outputs") where !outputs.contains(known) {
                try db.execute(sql: "DELETE FROM nat_outputs WHERE name = ?", arguments: [known])
            }
            for output in outputs {
                try db.execute(
                    sql: "INSERT OR IGNORE INTO nat_outputs (name, sequence) VALUES (?, ?)", arguments: [output, last])
            }
            try db.execute(
                sql: """
                    DELETE FROM nat_records
                    WHERE sequence <= max(coalesce((SELECT min(sequence) FROM nat_outputs), ?), ?)
                    """, arguments: [last, last - Int64(limit)])
            for (event, trigger) in [
                ("INSERT ON main.nat_log", "granted"),
                (
                    "UPDATE OF returned_ms ON main.nat_log WHEN OLD.returned_ms IS NULL AND NEW.returned_ms IS NOT NULL",
                    "returned"
                ),
            ] {
                // Of this connection, the only one that writes: they say what the configuration says, not what the file is.
                try db.execute(sql: "DROP TRIGGER IF EXISTS temp.nat_record_\(trigger)")
                guard !outputs.isEmpty else { continue }
                let values = columns.split(separator: ", ").map { "NEW.\($0)" }.joined(separator: ", ")
                try db.execute(
                    sql: """
                        CREATE TEMP TRIGGER nat_record_\(trigger) AFTER \(event) BEGIN
                            INSERT INTO nat_records (\(columns)) VALUES (\(values));
                            DELETE FROM nat_records WHERE sequence <= last_insert_rowid() - \(limit);
                        END
                        """)
            }
            let rows = try Row.fetchAll(db, sql: "SELECT name, sequence FROM nat_outputs")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, UInt64(bitPattern: $0[1])) })
        }
    }

    /// Calls `told` after each transaction that may have written records. On the store's thread: signal and return.
    public func watchNATRecords(_ told: @escaping @Sendable () -> Void) {
        self.natRecordWatcher.withLock { $0 = told }
    }

    /// Records after a number, ascending. Damaged rows are an error, not skipped.
    public func natRecords(after sequence: UInt64, limit: Int) throws(StoreError) -> [NATRecord] {
        try self.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(NATLogEntry.columns), sequence FROM nat_records WHERE sequence > ?
                    ORDER BY sequence LIMIT ?
                    """, arguments: [Int64(bitPattern: sequence), limit]
            ).map { row in
                guard let entry = NATLogEntry(row) else { throw StoreError.database("a damaged NAT record: \(row)") }
                return NATRecord(sequence: UInt64(bitPattern: row[12]), entry: entry)
            }
        }
    }

    /// The number of the last record ever written; 0: none.
    public func lastNATRecord() throws(StoreError) -> UInt64 {
        try self.read { db in UInt64(bitPattern: try db.lastNATRecord) }
    }
}
