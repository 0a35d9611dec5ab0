// SPDX-License-Identifier: Apache-2.0
// What the operator API says of AAA: servers, the accounting spool, plans.

/// One AAA server, as `GET /v1/aaa` lists it.
public struct AAAServerView: Codable, Sendable, Equatable {
    public var name: String
    /// authentication or accounting.
    public var role: String
    /// alive, dead or probing.
    public var state: String
    public var inFlight: Int
    public var p50Us: UInt64
    public var p99Us: UInt64
    /// Zero values are left out.
    public var counters: [String: UInt64]

    public init(
        name: String, role: String, state: String, inFlight: Int, p50Us: UInt64, p99Us: UInt64,
        counters: [String: UInt64]
    ) {
        self.name = name
        self.role = role
        self.state = state
        self.inFlight = inFlight
        self.p50Us = p50Us
        self.p99Us = p99Us
        self.counters = counters
    }
}

/// The accounting records on their way.
public struct SpoolView: Codable, Sendable, Equatable {
    /// On disk, not acknowledged by a server.
    public var backlog: Int
    public var inFlight: Int
    public var delivered: UInt64
    public var failed: UInt64
    public var refusedInterims: UInt64
    public var isFull: Bool
    /// When the oldest record happened; 0: none waits.
    public var oldestMs: Int64

    public init(
        backlog: Int, inFlight: Int, delivered: UInt64, failed: UInt64, refusedInterims: UInt64, isFull: Bool,
        oldestMs: Int64
    ) {
        self.backlog = backlog
        self.inFlight = inFlight
        self.delivered = delivered
        self.failed = failed
        self.refusedInterims = refusedInterims
        self.isFull = isFull
        self.oldestMs = oldestMs
    }
}

/// Who is asked, and how that goes.
public struct AAAView: Codable, Sendable, Equatable {
    /// In the order they are asked; empty: everybody is admitted.
    public var chain: [String]
    public var servers: [AAAServerView]
    /// nil: no accounting.
    public var spool: SpoolView?
    /// Requests of RFC 5176 by outcome; zero values are left out.
    public var dynamicAuthorization: [String: UInt64]

    public init(
        chain: [String], servers: [AAAServerView], spool: SpoolView?, dynamicAuthorization: [String: UInt64]
    ) {
        self.chain = chain
        self.servers = servers
        self.spool = spool
        self.dynamicAuthorization = dynamicAuthorization
    }
}

/// A plan as configured.
public struct PlanView: Codable, Sendable, Equatable {
    public var name: String
    public var version: UInt32
    /// Bits per second; 0: not policed.
    public var rateUpBps: UInt64
    public var rateDownBps: UInt64
    public var filter: String
    public var sessionTimeoutSeconds: UInt32
    public var idleTimeoutSeconds: UInt32
    public var pools: [String]
    public var sessionsPerUser: UInt32
    public var isGarden: Bool

    public init(
        name: String, version: UInt32, rateUpBps: UInt64, rateDownBps: UInt64, filter: String,
        sessionTimeoutSeconds: UInt32, idleTimeoutSeconds: UInt32, pools: [String], sessionsPerUser: UInt32,
        isGarden: Bool
    ) {
        self.name = name
        self.version = version
        self.rateUpBps = rateUpBps
        self.rateDownBps = rateDownBps
        self.filter = filter
        self.sessionTimeoutSeconds = sessionTimeoutSeconds
        self.idleTimeoutSeconds = idleTimeoutSeconds
        self.pools = pools
        self.sessionsPerUser = sessionsPerUser
        self.isGarden = isGarden
    }
}
