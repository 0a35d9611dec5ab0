// SPDX-License-Identifier: Apache-2.0
// Values of the drivers as the views of the operator API.

import Addressing
import AdminContract
import AgentContract
import AgentDriver
import BNGConfiguration
import BNGCore
import Fleet
import PPP
import Subscribers

extension NodeView {
    init(_ node: NodeSnapshot) {
        self.init(
            name: node.name, state: node.reachability.rawValue, connectedSinceMs: node.connectedSince.milliseconds,
            lastSeenMs: node.lastSeen.milliseconds, agentVersion: node.agentVersion,
            programVersion: node.programVersion, kernel: node.kernelRelease, lanes: node.lanes, term: node.term,
            termIsStale: node.termIsStale, clockSkewMs: node.clockSkewMs, ports: node.ports.count,
            sessionsIntended: node.intendedSessions, sessionsInstalled: Int(node.agentSessions),
            queued: node.queuedItems, pendingDeletes: node.pendingDeletes, synchronized: node.synchronized,
            lostEvents: node.lostEvents, auditDifferences: node.audit.reduce(0) { $0 + $1.differences },
            quarantined: node.quarantine.count, refused: node.refusals.count, capabilities: node.capabilities,
            contractMinor: node.minor, identity: node.identity.kind.rawValue,
            provenMs: node.identity.provenAt.milliseconds,
            certificateEndsMs: node.identity.certificateEnds.milliseconds, refusal: node.identity.refusal)
    }
}

extension PortView {
    init(_ port: PortStatus, node: NodeName, accessDomain: String) {
        self.init(
            node: node, name: port.name, role: port.role.map { "\($0)" } ?? "unknown", accessDomain: accessDomain,
            mode: port.mode.rawValue, linkUp: port.linkUp, mac: port.mac.description, mtu: port.mtu,
            driver: port.driver)
    }
}

extension AuditView {
    init(_ node: NodeSnapshot) {
        self.init(
            node: node.name, auditedMs: node.auditedAt.milliseconds, audits: node.audits,
            differences: node.audit.reduce(0) { $0 + $1.differences },
            families: node.audit.map {
                Family(
                    family: "\($0.family)", intended: $0.intended, installed: $0.installed, missing: $0.missing,
                    extra: $0.extra, different: $0.different)
            },
            quarantine: node.quarantine.map { SessionID(rawValue: $0.id).description },
            refusals: node.refusals.map { refusal in
                let id =
                    refusal.key.family == .session
                    ? SessionID(rawValue: refusal.key.id).description : "\(refusal.key.id)"
                return Refusal(object: "\(refusal.key.family) \(id)", error: refusal.error.description)
            })
    }
}

extension SessionView {
    init(_ record: SessionRecord, accessDomain: String, catalog: PlanCatalog) {
        let totals = record.counters
        self.init(
            id: record.id.description, node: record.node, port: record.port, phase: record.phase.rawValue,
            accessDomain: accessDomain,
            vlan: record.tags.description, mac: record.line.mac.description,
            relay: record.line.relay == .zero ? "" : record.line.relay.description, vrf: record.vrf,
            pool: record.pool, address: record.address == .zero ? "" : record.address.description,
            hostName: record.hostName,
            clientID: hexadecimal(record.clientID), option82: hexadecimal(record.option82),
            generation: record.generation, startedMs: record.started.milliseconds,
            leaseExpiresMs: record.leaseExpires.milliseconds, endedMs: record.ended.milliseconds,
            cause: record.cause?.rawValue ?? "", service: Service(record, catalog: catalog),
            counters: record.phase == .terminated ? Counters(totals) : nil)
        self.ipv6 = record.ipv6.map { IPv6($0) }
        self.nat = record.nat.map { NAT($0) }
        self.pppoe = record.ppp.map { PPPoE($0, id: record.line.pppoeID) }
    }
}

extension SessionView.IPv6 {
    init(_ details: IPv6Details) {
        self.init(
            prefix: details.link?.prefix.description ?? "", addresses: details.addresses.map(\.description),
            delegated: details.delegated.map(\.description),
            pools: Set(details.resources.map(\.pool)).sorted(), duid: hexadecimal(details.clientID),
            stale: details.stale.map(\.prefix.description), leaseExpiresMs: details.expires.milliseconds)
    }
}

extension SessionView.PPPoE {
    init(_ details: PPPoEDetails, id: UInt16) {
        let link = details.link
        self.init(
            id: id, service: details.service, authentication: link.authentication?.rawValue ?? "none", mtu: details.mtu,
            local: details.local.description, localMagic: String(link.localMagic, radix: 16),
            peerMagic: String(link.peerMagic, radix: 16), localInterfaceID: Self.interface(link.localInterfaceID),
            peerInterfaceID: Self.interface(link.peerInterfaceID))
    }

    /// As the lower half of an IPv6 address.
    private static func interface(_ id: UInt64) -> String {
        stride(from: 48, through: 0, by: -16).map { String(id >> UInt64($0) & 0xffff, radix: 16) }
            .joined(separator: ":")
    }
}

extension SessionView.Service {
    init(_ record: SessionRecord, catalog: PlanCatalog) {
        self.init()
        let grant = record.grant
        (self.userName, self.source) = (grant.userName, grant.source.rawValue)
        self.plan = grant.plan ?? catalog.defaultPlan
        (self.endsMs, self.replyMessage) = (record.ends.milliseconds, grant.replyMessage)
        self.terminationAction = grant.terminationAction == .reauthenticate ? "reauthenticate" : "end"
        self.classes = grant.classes.map { hexadecimal($0) }
        self.accountingID = record.isAccounted ? record.id.description : ""
        self.framedAddress = grant.address?.description ?? ""
        // What is no longer configured is shown by its name alone.
        guard let profile = try? catalog.profile(of: grant) else { return }
        (self.planVersion, self.isGarden) = (profile.planVersion, profile.isGarden)
        (self.rateUpBps, self.burstUpBytes) = (profile.rateUp?.bitsPerSecond ?? 0, profile.rateUp?.burstBytes ?? 0)
        (self.rateDownBps, self.burstDownBytes) = (
            profile.rateDown?.bitsPerSecond ?? 0, profile.rateDown?.burstBytes ?? 0
        )
        (self.filter, self.prefixLength) = (profile.filter, profile.prefixLength ?? 0)
        self.sessionTimeoutSeconds = profile.sessionTimeout.value
        self.idleTimeoutSeconds = profile.idleTimeout.value
        self.interimSeconds = profile.interimInterval.value
        self.routes = profile.routes.map(\.description)
        self.routes += profile.ipv6.routes.map(\.description)
        self.dns = profile.dns.map(\.description) + profile.ipv6.dns.map(\.description)
        self.sessionsPerUser = profile.sessionsPerUser
    }
}

extension SessionView.Counters {
    init(_ totals: SessionTotals) {
        self.init(
            upPackets: totals.upPackets, upBytes: totals.upBytes, downPackets: totals.downPackets,
            downBytes: totals.downBytes, droppedPackets: totals.droppedPackets)
        (self.ipv6UpPackets, self.ipv6UpBytes) = (totals.ipv6.upPackets, totals.ipv6.upBytes)
        (self.ipv6DownPackets, self.ipv6DownBytes) = (totals.ipv6.downPackets, totals.ipv6.downBytes)
    }

    /// - Parameter base: counted before the node last lost its counters.
    init(_ live: SessionCounterValues, base: SessionTotals) {
        let totals = base + SessionTotals(live)
        self.init(totals)
        (self.fastPathReplies, self.lastDropReason, self.lastDropMs) = (
            live.fastPathReplies, live.lastDropReason, live.lastDrop.milliseconds
        )
        (self.natMappings, self.natFlows) = (live.natMappings, live.natFlows)
        (self.natMappingsCreated, self.natRefused) = (live.natMappingsCreated, live.natRefused)
        (self.routerAdvertisements, self.dhcpv6FastPathReplies) = (
            live.routerAdvertisements, live.dhcpv6FastPathReplies
        )
        (self.echoesAnswered, self.echoesSent, self.echoReplies) = (
            live.echoesAnswered, live.echoesSent, live.echoReplies
        )
    }
}

extension PoolView {
    init(_ pool: Pool, _ usage: AddressPool.Usage) {
        self.init(
            name: pool.name, vrf: pool.vrf, prefix: pool.prefix.description, gateway: pool.gateway.description,
            total: usage.total, held: usage.held, returned: usage.returned, unused: usage.unused,
            exhausted: usage.exhausted, external: usage.external, alarm: usage.alarm,
            allocation: pool.external == nil ? pool.allocation.rawValue : "external")
    }

    init(_ pool: PrefixPoolSettings, _ usage: AddressPool.Usage) {
        self.init(
            name: pool.name, vrf: pool.vrf,
            prefix: pool.prefixes.map(\.description).joined(separator: " ") + " by /\(pool.length)", gateway: "",
            total: usage.total, held: usage.held, returned: usage.returned, unused: usage.unused,
            exhausted: usage.exhausted, external: usage.external, alarm: usage.alarm,
            allocation: pool.external == nil ? "sticky" : "external")
    }
}

extension SessionView.NAT {
    fileprivate init(_ grant: NATGrant) {
        self.init(
            address: "\(grant.address)",
            ports: grant.isOneToOne ? [] : grant.ranges.map { "\($0.lowerBound)-\($0.upperBound)" }, pool: grant.pool,
            policy: grant.policy,
            forwards: grant.forwards.map { forward in
                "\(forward.isTCP ? "tcp" : "udp") \(forward.outsidePort) to \(forward.inside):\(forward.insidePort)"
            })
    }
}

extension NATForwardView {
    init(_ forward: NATGrant.Forward, of grant: NATGrant) {
        let (origin, expires): (String, UTCTime?) =
            switch forward.origin {
            case .aaa: ("aaa", nil)
            case .operator: ("operator", nil)
            case .client(let nonce, let expires): (nonce.isEmpty ? "nat-pmp" : "pcp", expires)
            }
        self.init(
            transport: forward.isTCP ? "tcp" : "udp", address: "\(grant.address)", port: forward.outsidePort,
            inside: "\(forward.inside)", insidePort: forward.insidePort, origin: origin,
            expiresMs: expires?.milliseconds ?? 0)
    }
}
