// SPDX-License-Identifier: Apache-2.0
// Who held a port of a public address: the question and the answer, as the NAT log has it.

/// Asks about a port at a time.
public struct NATQuery: Sendable, Equatable {
    public var vrf: UInt32
    public var address: String
    public var port: UInt16
    /// nil: now.
    public var atMs: Int64?

    public init(vrf: UInt32, address: String, port: UInt16, atMs: Int64?) {
        self.vrf = vrf
        self.address = address
        self.port = port
        self.atMs = atMs
    }
}

/// A port of a session that leads in.
public struct NATForwardView: Codable, Sendable, Equatable {
    /// tcp or udp.
    public var transport: String
    public var address: String
    public var port: UInt16
    public var inside: String
    public var insidePort: UInt16
    /// aaa, operator, pcp or nat-pmp.
    public var origin: String
    /// 0: it stays.
    public var expiresMs: Int64

    public init(
        transport: String, address: String, port: UInt16, inside: String, insidePort: UInt16, origin: String,
        expiresMs: Int64
    ) {
        self.transport = transport
        self.address = address
        self.port = port
        self.inside = inside
        self.insidePort = insidePort
        self.origin = origin
        self.expiresMs = expiresMs
    }
}

/// A session that held a block of ports.
public struct NATHolderView: Codable, Sendable, Equatable {
    public var vrf: UInt32
    public var address: String
    public var firstPort: UInt16
    public var lastPort: UInt16
    public var fromMs: Int64
    /// 0: it holds it still.
    public var toMs: Int64
    public var session: String
    public var node: String
    public var line: String
    public var user: String
    public var inside: String
    public var pool: String

    public init(
        vrf: UInt32, address: String, firstPort: UInt16, lastPort: UInt16, fromMs: Int64, toMs: Int64, session: String,
        node: String, line: String, user: String, inside: String, pool: String
    ) {
        self.vrf = vrf
        self.address = address
        self.firstPort = firstPort
        self.lastPort = lastPort
        self.fromMs = fromMs
        self.toMs = toMs
        self.session = session
        self.node = node
        self.line = line
        self.user = user
        self.inside = inside
        self.pool = pool
    }
}

/// An output of NAT records, as `GET /v1/nat/records` lists it.
public struct NATRecordOutputView: Codable, Sendable, Equatable {
    public var name: String
    /// ipfix, syslog or json.
    public var kind: String
    public var destination: String
    /// Why nothing is delivered now; empty: it is.
    public var problem: String
    /// The last record delivered.
    public var sequence: UInt64
    /// Records on disk that are not delivered.
    public var waiting: UInt64
    public var sent: UInt64
    /// Dropped at the bound of the spool.
    public var lost: UInt64
    /// Deliveries that failed; they are repeated.
    public var failures: UInt64

    public init(
        name: String, kind: String, destination: String, problem: String, sequence: UInt64, waiting: UInt64,
        sent: UInt64, lost: UInt64, failures: UInt64
    ) {
        self.name = name
        self.kind = kind
        self.destination = destination
        self.problem = problem
        self.sequence = sequence
        self.waiting = waiting
        self.sent = sent
        self.lost = lost
        self.failures = failures
    }
}
