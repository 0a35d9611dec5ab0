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
    /// The data plane granted a lease: its latest end, by family; nil: this is not about that family.
    case leaseRenewed(SessionID, generation: Generation, ipv4Expires: UTCTime?, ipv6Expires: UTCTime?)
    /// The session is installed but forwards no more, or no more IPv6; cause "lease_expired", "ipv6_lease_expired",
    /// "session_timeout", "idle_timeout" or "lost_carrier".
    case sessionLapsed(SessionID, generation: Generation, cause: String)
    case portChanged(PortStatus)
    /// A session has used most of its NAT ports of one protocol.
    case natPortsLow(SessionID, generation: Generation, used: UInt32, granted: UInt32)

    /// nil for an event this side does not know.
    public init?(_ event: Wire.Event) {
        switch event.body {
        case nil: return nil
        case .leaseRenewed(let renewed):
            self = .leaseRenewed(
                SessionID(rawValue: renewed.sessionID), generation: renewed.sessionGeneration,
                ipv4Expires: Self.time(renewed.expiresUnixMs), ipv6Expires: Self.time(renewed.ipv6ExpiresUnixMs))
        case .sessionLapsed(let lapsed):
            self = .sessionLapsed(
                SessionID(rawValue: lapsed.sessionID), generation: lapsed.sessionGeneration, cause: lapsed.cause)
        case .portChanged(let changed):
            self = .portChanged(PortStatus(changed.port))
        case .natPortsLow(let low):
            self = .natPortsLow(
                SessionID(rawValue: low.sessionID), generation: low.sessionGeneration, used: low.portsUsed,
                granted: low.portsGranted)
        }
    }

    private static func time(_ unixMs: UInt64) -> UTCTime? {
        unixMs == 0 ? nil : UTCTime(milliseconds: Int64(clamping: unixMs))
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
    /// The IPv6 part of the packets and bytes above.
    public var ipv6UpPackets: UInt64
    public var ipv6UpBytes: UInt64
    public var ipv6DownPackets: UInt64
    public var ipv6DownBytes: UInt64
    public var ipv6LeaseExpires: UTCTime
    public var routerAdvertisements: UInt64
    public var dhcpv6FastPathReplies: UInt64
    /// In use now: ports of all protocols, TCP connections and peers let in.
    public var natMappings: UInt64
    public var natFlows: UInt64
    public var natMappingsCreated: UInt64
    /// Packets that needed a port, a mapping or a flow and got none.
    public var natRefused: UInt64

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
        self.ipv6UpPackets = counters.ipv6UpPackets
        self.ipv6UpBytes = counters.ipv6UpBytes
        self.ipv6DownPackets = counters.ipv6DownPackets
        self.ipv6DownBytes = counters.ipv6DownBytes
        self.ipv6LeaseExpires = UTCTime(milliseconds: Int64(clamping: counters.ipv6LeaseExpiresUnixMs))
        self.routerAdvertisements = counters.routerAdvertisements
        self.dhcpv6FastPathReplies = counters.dhcpv6FastPathReplies
        self.natMappings = counters.natMappings
        self.natFlows = counters.natFlows
        self.natMappingsCreated = counters.natMappingsCreated
        self.natRefused = counters.natRefused
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
