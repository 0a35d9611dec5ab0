// SPDX-License-Identifier: Apache-2.0
// Nodes that have enrolled, the certificates they were given, and the TPM each has shown.

import BNGCore
import Fleet
import Foundation
import GRDB

/// A certificate a node was given.
public struct StoredCertificate: Hashable, Sendable {
    /// Hexadecimal.
    public var serial: String
    public var node: NodeName
    /// Of the key, as in `NodeEnrolment`.
    public var fingerprint: String
    public var issued: UTCTime
    public var ends: UTCTime
    /// nil: it counts.
    public var revoked: UTCTime?

    public init(
        serial: String, node: NodeName, fingerprint: String, issued: UTCTime, ends: UTCTime, revoked: UTCTime? = nil
    ) {
        self.serial = serial
        self.node = node
        self.fingerprint = fingerprint
        self.issued = issued
        self.ends = ends
        self.revoked = revoked
    }
}

/// The TPM a node has shown.
public struct StoredTPM: Hashable, Sendable {
    public var node: NodeName
    /// SHA-256 of the endorsement key, hexadecimal.
    public var endorsementKey: String
    /// Name of the attestation key, hexadecimal.
    public var attestationKey: String

    public init(node: NodeName, endorsementKey: String, attestationKey: String) {
        self.node = node
        self.endorsementKey = endorsementKey
        self.attestationKey = attestationKey
    }
}

/// A change of who nodes are.
public enum IdentityOperation: Sendable, Equatable {
    case putEnrolment(NodeEnrolment)
    case removeEnrolment(fingerprint: String)
    case putCertificate(StoredCertificate)
    /// Every certificate of a key.
    case revoke(fingerprint: String, at: UTCTime)
    /// Every certificate of a node.
    case revokeNode(NodeName, at: UTCTime)
    case putTPM(StoredTPM)
    case removeTPM(NodeName)
}

/// All that is known of who nodes are.
public struct StoredIdentities: Hashable, Sendable {
    public var enrolments: [NodeEnrolment] = []
    public var certificates: [StoredCertificate] = []
    public var tpms: [StoredTPM] = []
}

extension Database {
    func perform(_ operation: IdentityOperation) throws {
        switch operation {
        case .putEnrolment(let entry):
            try self.run(
                """
                INSERT OR REPLACE INTO node_enrolments
                (fingerprint, name, serial, address, agent_version, interfaces, endorsement_key, status, node, reason,
                first_ms, last_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, entry.arguments)
        case .removeEnrolment(let fingerprint):
            try self.run("DELETE FROM node_enrolments WHERE fingerprint = ?", [.text(fingerprint)])
        case .putCertificate(let certificate):
            try self.run(
                """
                INSERT OR REPLACE INTO node_certificates (serial, node, fingerprint, issued_ms, ends_ms, revoked_ms)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(certificate.serial), .text(certificate.node), .text(certificate.fingerprint),
                    .integer(certificate.issued.milliseconds), .integer(certificate.ends.milliseconds),
                    certificate.revoked.map { .integer($0.milliseconds) } ?? .null,
                ])
            // What has ended long ago cannot be shown any more.
            try self.run(
                "DELETE FROM node_certificates WHERE ends_ms < ?",
                [.integer(certificate.issued.milliseconds - 86_400_000)])
        case .revoke(let fingerprint, let time):
            try self.run(
                "UPDATE node_certificates SET revoked_ms = ? WHERE fingerprint = ? AND revoked_ms IS NULL",
                [.integer(time.milliseconds), .text(fingerprint)])
        case .revokeNode(let node, let time):
            try self.run(
                "UPDATE node_certificates SET revoked_ms = ? WHERE node = ? AND revoked_ms IS NULL",
                [.integer(time.milliseconds), .text(node)])
        case .putTPM(let tpm):
            try self.run(
                "INSERT OR REPLACE INTO node_tpms (node, endorsement_key, attestation_key) VALUES (?, ?, ?)",
                [.text(tpm.node), .text(tpm.endorsementKey), .text(tpm.attestationKey)])
        case .removeTPM(let node): try self.run("DELETE FROM node_tpms WHERE node = ?", [.text(node)])
        }
    }
}

extension NodeEnrolment {
    fileprivate var arguments: [DatabaseValue] {
        var status = "pending"
        var node = ""
        var why = ""
        switch self.status {
        case .pending: break
        case .approved(let name): (status, node) = ("approved", name)
        case .rejected(let reason): (status, why) = ("rejected", reason)
        }
        return [
            .text(self.fingerprint), .text(self.requestedName), .text(self.serial), .text(self.address),
            .text(self.agentVersion), .text(self.interfaces.joined(separator: " ")), .text(self.endorsementKey),
            .text(status), .text(node), .text(why), .integer(self.firstSeen.milliseconds),
            .integer(self.lastSeen.milliseconds),
        ]
    }

    fileprivate init(_ row: Row) throws {
        let status: Status
        switch row["status"] as String {
        case "pending": status = .pending
        case "approved": status = .approved(row["node"])
        case "rejected": status = .rejected(row["reason"])
        default: throw StoreError.database("a damaged enrolment: \(row)")
        }
        self.init(
            fingerprint: row["fingerprint"], requestedName: row["name"], serial: row["serial"], address: row["address"],
            agentVersion: row["agent_version"],
            interfaces: (row["interfaces"] as String).split(separator: " ").map(String.init),
            endorsementKey: row["endorsement_key"], status: status,
            firstSeen: UTCTime(milliseconds: row["first_ms"]), lastSeen: UTCTime(milliseconds: row["last_ms"]))
    }
}

extension Store {
    /// Read at start.
    public func identities() throws(StoreError) -> StoredIdentities {
        try self.read { db in
            StoredIdentities(
                enrolments: try Row.fetchAll(db, sql: "SELECT * FROM node_enrolments ORDER BY fingerprint")
                    .map(NodeEnrolment.init),
                certificates: try Row.fetchAll(db, sql: "SELECT * FROM node_certificates ORDER BY serial").map { row in
                    let revoked: Int64? = row["revoked_ms"]
                    return StoredCertificate(
                        serial: row["serial"], node: row["node"], fingerprint: row["fingerprint"],
                        issued: UTCTime(milliseconds: row["issued_ms"]), ends: UTCTime(milliseconds: row["ends_ms"]),
                        revoked: revoked.map { UTCTime(milliseconds: $0) })
                },
                tpms: try Row.fetchAll(db, sql: "SELECT * FROM node_tpms ORDER BY node").map { row in
                    StoredTPM(
                        node: row["node"], endorsementKey: row["endorsement_key"],
                        attestationKey: row["attestation_key"])
                })
        }
    }
}

extension StoreSchema {
    static let identities = StoreMigration(
        schema: 8,
        sql: """
            CREATE TABLE node_enrolments (
                fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL, serial TEXT NOT NULL, address TEXT NOT NULL,
                agent_version TEXT NOT NULL, interfaces TEXT NOT NULL, endorsement_key TEXT NOT NULL,
                status TEXT NOT NULL, node TEXT NOT NULL, reason TEXT NOT NULL,
                first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL
            ) WITHOUT ROWID, STRICT;
            CREATE TABLE node_certificates (
                serial TEXT PRIMARY KEY, node TEXT NOT NULL, fingerprint TEXT NOT NULL, issued_ms INTEGER NOT NULL,
                ends_ms INTEGER NOT NULL, revoked_ms INTEGER
            ) WITHOUT ROWID, STRICT;
            CREATE TABLE node_tpms (
                node TEXT PRIMARY KEY, endorsement_key TEXT NOT NULL, attestation_key TEXT NOT NULL
            ) WITHOUT ROWID, STRICT;
            """)
}
