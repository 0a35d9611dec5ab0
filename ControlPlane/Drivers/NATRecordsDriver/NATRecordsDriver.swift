// SPDX-License-Identifier: Apache-2.0
// Tells collectors of grants and returns of blocks of ports: from the spool on disk, an output at a time on a thread of its own, so
// that one that is slow or away holds up nobody but itself.
//
// An output reads the records after its cursor, delivers them, and moves the cursor when they are delivered; a kill between the two
// delivers up to a page again, with the same numbers. Delivered means: written and synced for a file; acknowledged by the peer's kernel
// for a stream; sent, and not refused by ICMP at once, for datagrams.

import BNGCore
import Foundation
import Logging
import Subscribers
import Syslog

/// Where records wait.
public protocol NATRecordStoring: Sendable {
    /// Records after a number, ascending. May be slow: called on an output's thread.
    func natRecords(after sequence: UInt64, limit: Int) throws -> [NATRecord]
    /// Makes durable how far an output has got, then calls `done` on any thread.
    func advance(_ output: String, to sequence: UInt64, then done: @escaping @Sendable (Bool) -> Void)
    /// The number of the last record written.
    func lastNATRecord() throws -> UInt64
}

/// Who is told, and how.
public struct NATRecordOutput: Sendable, Equatable {
    public enum Transport: String, Sendable, CaseIterable { case udp, tcp }

    public enum Kind: Sendable, Equatable {
        /// - Parameter templateInterval: for datagrams.
        case ipfix(
            Transport, host: String, port: Int, observationDomain: UInt32, messageSize: Int, templateInterval: Seconds)
        /// - Parameter enterprise: number after `nat@`.
        case syslog(Transport, host: String, port: Int, facility: SyslogMessage.Facility, enterprise: UInt32)
        /// A file of JSON lines.
        case json(path: String)
    }

    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// ipfix, syslog or json.
    public var kindName: String {
        switch self.kind {
        case .ipfix: return "ipfix"
        case .syslog: return "syslog"
        case .json: return "json"
        }
    }

    /// TRANSPORT:HOST:PORT, or the path.
    public var destination: String {
        switch self.kind {
        case .ipfix(let transport, let host, let port, _, _, _), .syslog(let transport, let host, let port, _, _):
            return "\(transport.rawValue):\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .json(let path): return path
        }
    }
}

/// How an output fares, since the process began.
public struct NATRecordStatus: Sendable, Equatable {
    public var output: NATRecordOutput
    /// The last record it has delivered.
    public var sequence: UInt64
    /// Records on disk that it has not delivered.
    public var waiting: UInt64 = 0
    public var sent: UInt64 = 0
    /// Records dropped at the bound of the spool before they could be delivered.
    public var lost: UInt64 = 0
    /// Deliveries that failed; they are repeated.
    public var failures: UInt64 = 0
    /// Why nothing is delivered now; nil: it is.
    public var problem: String?
}

/// All outputs.
public final class NATRecordsDriver: Sendable {
    private let outputs: [NATRecordSender]
    private let store: any NATRecordStoring

    /// - Parameter cursors: the last record each output has delivered, by name.
    public init(
        outputs: [NATRecordOutput], cursors: [String: UInt64], store: any NATRecordStoring, logger: Logger,
        now: @escaping @Sendable () -> UTCTime
    ) {
        self.store = store
        self.outputs = outputs.map {
            NATRecordSender($0, cursor: cursors[$0.name] ?? 0, store: store, logger: logger, now: now)
        }
    }

    public func start() { for output in self.outputs { output.start() } }

    /// There may be new records.
    public func wake() { for output in self.outputs { output.wake() } }

    /// Ends the threads; what is not delivered waits on disk. Blocks for a delivery under way, a second at most.
    public func stop() {
        for output in self.outputs { output.stop() }
        for output in self.outputs { output.wait() }
    }

    public func status() -> [NATRecordStatus] {
        let last = (try? self.store.lastNATRecord()) ?? 0
        return self.outputs.map { output in
            var status = output.status
            status.waiting = last > status.sequence ? last - status.sequence : 0
            return status
        }
    }
}
