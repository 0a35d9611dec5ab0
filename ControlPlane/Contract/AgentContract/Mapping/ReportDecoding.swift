// SPDX-License-Identifier: Apache-2.0
// What an agent says of itself, as values: ports, counters, punts, events. Tolerant where the contract is tolerant.

import AgentProto
import BNGCore
import Fleet
import Foundation

/// A packet an agent carried up, byte for byte as it arrived.
public struct PuntedPacket: Hashable, Sendable {
    public var puntClass: PuntClass
    /// Name of the reason in the data plane.
    public var reason: String
    public var port: String
    public var accessDomain: AccessDomainID
    /// Ethernet, tags included.
    public var frame: [UInt8]
    /// Session of the line the packet met; nil: unknown line.
    public var session: SessionID?
    public var generation: Generation
    public var received: UTCTime

    /// nil for a class this side does not know.
    public init?(_ punt: Wire.Punt) {
        guard let puntClass = punt.puntClass.puntClass else { return nil }
        self.puntClass = puntClass
        self.reason = punt.reason
        self.port = punt.port
        self.accessDomain = punt.accessDomainID
        self.frame = [UInt8](punt.frame)
        self.session = punt.sessionID == 0 ? nil : SessionID(rawValue: punt.sessionID)
        self.generation = punt.sessionGeneration
        self.received = UTCTime(milliseconds: Int64(clamping: punt.receivedUnixMs))
    }
}

/// Something that happened in a data plane; repeated until acknowledged, so handlers are idempotent.
public enum AgentEvent: Hashable, Sendable {
    /// The data plane granted a lease; `expires` is its latest end.
    case leaseRenewed(SessionID, generation: Generation, expires: UTCTime)
    /// The session is installed but forwards no more; cause "lease_expired", "session_timeout", "idle_timeout" or
    /// "lost_carrier".
    case sessionLapsed(SessionID, generation: Generation, cause: String)
    case portChanged(PortStatus)

    /// nil for an event this side does not know.
    public init?(_ event: Wire.Event) {
        switch event.body {
        case nil: return nil
        case .leaseRenewed(let renewed):
            self = .leaseRenewed(
                SessionID(rawValue: renewed.sessionID), generation: renewed.sessionGeneration,
                expires: UTCTime(milliseconds: Int64(clamping: renewed.expiresUnixMs)))
        case .sessionLapsed(let lapsed):
            self = .sessionLapsed(
                SessionID(rawValue: lapsed.sessionID), generation: lapsed.sessionGeneration, cause: lapsed.cause)
        case .portChanged(let changed):
            self = .portChanged(PortStatus(changed.port))
        }
    }
}

/// Counters of one session as its data plane keeps them.
public struct SessionCounterValues: Hashable, Sendable {
    public var session: SessionID
    public var upPackets: UInt64
    public var upBytes: UInt64
    public var downPackets: UInt64
    public var downBytes: UInt64
    public var droppedPackets: UInt64
    /// Empty: nothing was dropped.
    public var lastDropReason: String
    public var lastDrop: UTCTime
    public var generation: Generation
    public var leaseExpires: UTCTime
    public var fastPathReplies: UInt64
    /// LCP echoes: requests of the client answered, requests sent to it, what came back.
    public var echoesAnswered: UInt64
    public var echoesSent: UInt64
    public var echoReplies: UInt64

    public init(_ counters: Wire.SessionCounters) {
        self.session = SessionID(rawValue: counters.sessionID)
        self.upPackets = counters.upPackets
        self.upBytes = counters.upBytes
        self.downPackets = counters.downPackets
        self.downBytes = counters.downBytes
        self.droppedPackets = counters.droppedPackets
        self.lastDropReason = String(counters.lastDropReason.prefix(64))
        self.lastDrop = UTCTime(milliseconds: Int64(clamping: counters.lastDropUnixMs))
        self.generation = counters.generation
        self.leaseExpires = UTCTime(milliseconds: Int64(clamping: counters.leaseExpiresUnixMs))
        self.fastPathReplies = counters.dhcpFastPathReplies
        self.echoesAnswered = counters.pppEchoesAnswered
        self.echoesSent = counters.pppEchoesSent
        self.echoReplies = counters.pppEchoReplies
    }
}

extension PortStatus {
    /// A port as an agent reports it; unknown enum values become "unknown".
    public init(_ info: Wire.PortInfo) {
        let role: PortRole?
        switch info.role {
        case .access: role = .access
        case .core: role = .core
        case .unspecified, .UNRECOGNIZED: role = nil
        }
        let mode: Mode
        switch info.mode {
        case .detached: mode = .detached
        case .native: mode = .native
        case .generic: mode = .generic
        case .shared: mode = .shared
        case .unspecified, .UNRECOGNIZED: mode = .unknown
        }
        self.init(
            name: info.name, role: role, interfaceIndex: info.interfaceIndex, mac: MACAddress(info.mac) ?? .zero,
            mtu: info.mtuBytes, mode: mode, linkUp: info.linkUp, driver: info.driver)
    }
}
