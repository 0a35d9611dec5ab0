// SPDX-License-Identifier: Apache-2.0
// Who held which ports of which public address, and when: a row for each block, written in the transaction that gives the block to
// the session or takes it from it, so that neither is on disk without the other.

import BNGCore
import GRDB
import Subscribers

extension NATLogEntry {
    static let columns =
        "vrf, address, first_port, last_port, granted_ms, returned_ms, session, node, line, user_name, inside,"
        + " pool"

    init?(_ row: Row) {
        let first = UInt16(clamping: row[2] as Int64)
        let last = UInt16(clamping: row[3] as Int64)
        guard first <= last else { return nil }
        self.init(
            vrf: UInt32(clamping: row[0] as Int64),
            address: IPv4Address(rawValue: UInt32(clamping: row[1] as Int64)), ports: first...last,
            granted: UTCTime(milliseconds: row[4]),
            returned: (row[5] as Int64?).map { UTCTime(milliseconds: $0) },
            session: SessionID(rawValue: UInt64(bitPattern: row[6])), node: row[7], line: row[8], userName: row[9],
            inside: IPv4Address(rawValue: UInt32(clamping: row[10] as Int64)), pool: row[11])
    }
}

extension Database {
    /// Rows pruned by one operation: others wait for the transaction.
    static let pruneLimit = 5_000

    /// Blocks the log has not got yet begin now; a record is put more often than it changes.
    func logGrant(_ grant: NATGrant, _ record: SessionRecord, at now: UTCTime) throws {
        for ports in grant.ranges {
            try self.run(
                """
                INSERT INTO nat_log (\(NATLogEntry.columns)) VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (session, address, first_port) WHERE returned_ms IS NULL DO NOTHING
                """,
                [
                    .integer(record.vrf), .integer(grant.address.rawValue), .integer(ports.lowerBound),
                    .integer(ports.upperBound), .integer(now.milliseconds), .integer(record.id.rawValue),
                    .text(record.node), .text(record.lineText), .text(record.grant.userName),
                    .integer(record.address.rawValue), .text(grant.pool),
                ])
        }
    }

    func logReturn(_ grant: NATGrant, of session: SessionID, at now: UTCTime) throws {
        for ports in grant.ranges {
            try self.run(
                """
                UPDATE nat_log SET returned_ms = max(granted_ms, ?)
                WHERE session = ? AND address = ? AND first_port = ? AND returned_ms IS NULL
                """,
                [
                    .integer(now.milliseconds), .integer(session.rawValue), .integer(grant.address.rawValue),
                    .integer(ports.lowerBound),
                ])
        }
    }

    func pruneNATLog(returnedBefore time: UTCTime) throws {
        try self.run(
            """
            DELETE FROM nat_log WHERE id IN (
                SELECT id FROM nat_log WHERE returned_ms IS NOT NULL AND returned_ms < ? LIMIT \(Self.pruneLimit))
            """, [.integer(time.milliseconds)])
    }
}

extension SessionRecord {
    fileprivate var lineText: String {
        var text = "\(self.port.isEmpty ? "-" : self.port) \(self.tags) \(self.line.mac)"
        if self.line.relay != .zero { text += " relay \(self.line.relay)" }
        if self.line.pppoeID != 0 { text += " pppoe \(self.line.pppoeID)" }
        return text
    }
}

extension Store {
    /// How long blocks rest that a killed process was giving back: what the pool says is not known here.
    static let orphanRest: Seconds = 120

    /// Who held a port at a time, most recently granted first. More than one only where clocks were set back.
    public func natHolders(
        vrf: VRF, address: IPv4Address, port: UInt16, at time: UTCTime
    ) throws(StoreError) -> [NATLogEntry] {
        try self.read { db in
            try Row.fetchAll(
                db, sql: Self.holders,
                arguments: [
                    "vrf": Int64(vrf), "address": Int64(address.rawValue), "port": Int64(port),
                    "time": time.milliseconds,
                ]
            ).compactMap { NATLogEntry($0) }
        }
    }

    /// From the block that begins nearest below the port down: of every first port that was ever given of the address (1,008 at
    /// most) one look into the index for the newest grants before the time. Going back through all grants of the address would read
    /// as many rows as the log has of it.
    static let holders = """
        WITH RECURSIVE starts (first) AS (
            SELECT max(first_port) FROM nat_log WHERE vrf = :vrf AND address = :address AND first_port <= :port
            UNION ALL
            SELECT (
                SELECT max(first_port) FROM nat_log WHERE vrf = :vrf AND address = :address AND first_port < first)
            FROM starts WHERE first IS NOT NULL
        )
        SELECT \(NATLogEntry.columns) FROM starts CROSS JOIN nat_log ON id IN (
            SELECT id FROM (
                SELECT id, last_port FROM nat_log WHERE vrf = :vrf AND address = :address AND first_port = first
                AND granted_ms <= :time ORDER BY granted_ms DESC LIMIT 10)
            WHERE last_port >= :port)
        WHERE first IS NOT NULL AND (returned_ms IS NULL OR returned_ms >= :time)
        ORDER BY granted_ms DESC LIMIT 10
        """

    /// Forgets blocks returned before a time, a transaction for every few thousand.
    public func pruneNATLog(returnedBefore time: UTCTime) async throws(StoreError) {
        var remains = true
        while remains {
            try await self.submit([.pruneNATLog(returnedBefore: time)])
            remains = try self.read { db in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM nat_log WHERE returned_ms IS NOT NULL AND returned_ms < ?)",
                    arguments: [time.milliseconds]) ?? false
            }
        }
    }

    /// Blocks that no session holds any more but that the log says are held: the process was killed between the end of a session
    /// and the rest of its blocks. They rest from now on.
    func closeOrphans(at now: UTCTime) throws(StoreError) {
        try self.write { db in
            try db.execute(sql: "DELETE FROM nat_rests WHERE until_ms < ?", arguments: [now.milliseconds])
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT l.session, l.address, l.first_port, l.last_port, s.nat, l.pool FROM nat_log l
                    LEFT JOIN sessions s ON s.id = l.session WHERE l.returned_ms IS NULL
                    """)
            for row in rows {
                let first = UInt16(clamping: row[2] as Int64)
                let held = (row[4] as String?).flatMap { NATGrant(text: $0) }
                let address = IPv4Address(rawValue: UInt32(clamping: row[1] as Int64))
                if let held, held.address == address, held.ranges.contains(where: { $0.lowerBound == first }) {
                    continue
                }
                let ports = UInt16(clamping: (row[3] as Int64) - (row[2] as Int64) + 1)
                let id = SessionID(rawValue: UInt64(bitPattern: row[0]))
                let isOneToOne = first == 0
                let grant = NATGrant(
                    pool: row[5], policy: "", address: address, blockPorts: isOneToOne ? 0 : ports,
                    firstPorts: isOneToOne ? [] : [first])
                try db.perform(.restNAT(NATRest(grant: grant, until: now + Self.orphanRest), of: id), at: now)
            }
        }
    }
}
