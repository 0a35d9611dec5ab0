// SPDX-License-Identifier: Apache-2.0
// The IPv6 half of a line's session: its own prefix, the advertisement that says so, and what the node holds of it all.

import Addressing
import BNGCore
import DHCPv6
import Ethernet
import Fleet
import NeighborDiscovery
import Subscribers

extension LineShard {
    func receive(_ frame: IPv6Frame) {
        guard let policy = self.world.configuration.ipv6[frame.line.accessDomain] else { return self.count(.noIPv6) }
        let known = self.lines[frame.line]
        // Inside PPPoE the session is there first.
        guard known?.ppp != nil || frame.line.pppoeID == 0 else { return self.count(.pppUnknownSession) }
        let pool = self.world.pool(for: frame.line.accessDomain, relay: frame.line.relay)
        guard let entry = known ?? self.newEntry(frame.line, pool) else { return }
        guard !entry.isClaimedByAnotherCircuit(frame) else { return self.count(.lineConflict) }
        entry.path = frame.path
        self.present(frame, entry)
        switch frame.content {
        case .solicitation:
            self.count(.solicitations)
            self.solicited(entry, frame.source, policy)
        case .dhcpv6(let packet, let isUnicast):
            self.count(.dhcpv6Received)
            self.receive(packet, isUnicast: isUnicast, from: frame, entry, policy)
        }
        self.forgetIfIdle(entry)
    }

    /// How the client presents itself; what an access node said by DHCPv4 holds where DHCPv6 says nothing.
    private func present(_ frame: IPv6Frame, _ entry: LineEntry) {
        guard entry.ppp == nil else { return }
        var presentation =
            entry.presentation ?? entry.session?.record.presentation
            ?? SessionPresentation(
                tags: frame.path.tags, relayMAC: .zero, clientID: [], option82: [], hostName: "")
        presentation.tags = frame.path.tags
        presentation.relayMAC = entry.line.relay == .zero ? .zero : frame.path.peerMAC
        if !frame.circuit.isEmpty, presentation.option82.isEmpty { presentation.option82 = frame.circuit }
        entry.presentation = presentation
    }

    // MARK: The line's own prefix

    private func solicited(_ entry: LineEntry, _ source: IPv6Address, _ policy: IPv6Policy) {
        guard policy.linkPool != nil || policy.isLeftToAAA || self.mayGrantLink(entry) else {
            // Addresses come by DHCPv6 alone: that there is a router needs no session.
            return self.advertise(entry, to: source, policy)
        }
        guard let session = entry.session, session.record.generation > 0, session.record.ipv6?.link != nil else {
            return self.serve(entry, .link)
        }
        // Else it is on its way to the node, and the advertisement follows.
        if session.isActive { self.advertise(entry, to: source, policy) }
    }

    /// Whether AAA or the plan names a prefix for the line itself, or a pool of them.
    private func mayGrantLink(_ entry: LineEntry) -> Bool {
        guard let record = entry.session?.record, let profile = self.world.profile(of: record) else { return false }
        return profile.ipv6.linkPrefix != nil || profile.ipv6.linkPool != nil || record.ipv6?.link != nil
    }

    /// The session machine lets the line's prefix be reserved, so that the first promise can hold it.
    func prepareLink(_ entry: LineEntry) {
        let policy = self.world.configuration.ipv6[entry.line.accessDomain]
        // A PPP client may never open IPv6CP, and behind a layer-3 relay the link is the relay's.
        guard policy?.linkPool != nil || self.mayGrantLink(entry), policy != nil, entry.ppp == nil,
            entry.line.relay == .zero
        else {
            return self.perform(entry, .session(.prepared(nil)))
        }
        self.takeLink(entry) { self.perform($0, .session(.prepared($1))) }
    }

    private func takeLink(_ entry: LineEntry, then: @escaping @Sendable (LineEntry, IPv6Details?) -> Void) {
        guard let id = entry.session?.record.id else { return }
        let line = entry.line
        self.takePrefix(.link, entry, wish: nil, isExact: false, isFirst: true) { result in
            guard let entry = self.byID[id], let session = entry.session, !session.isEnding else {
                if case .success(let resource) = result { self.withdraw(resource, session: id, line: line) }
                return
            }
            guard case .success(let resource) = result else { return then(entry, nil) }
            var details = session.intendedIPv6 ?? IPv6Details()
            details.link = resource
            details.expires = self.lease(entry)
            details.stale.removeAll { $0.prefix == resource.prefix }
            then(entry, details)
        }
    }

    /// When the IPv6 lease ends that is granted now; zero: PPP has none.
    private func lease(_ entry: LineEntry) -> UTCTime {
        guard entry.ppp == nil, let policy = self.world.configuration.ipv6[entry.line.accessDomain] else {
            return .zero
        }
        return self.world.utcNow() + policy.valid
    }

    /// The line is to have its prefix, promised and in force; it is told with the advertisement that follows.
    func confirmLink(_ entry: LineEntry) {
        guard let policy = self.world.configuration.ipv6[entry.line.accessDomain] else { return }
        if let details = entry.session?.intendedIPv6, details.link != nil { return self.confirm(details, entry) }
        self.takeLink(entry) { entry, details in
            guard let details else {
                self.advertise(entry, to: .allNodes, policy)
                return self.abandonIfQuiet(entry)
            }
            self.count(.ipv6Started)
            self.confirm(details, entry)
        }
    }

    /// Makes this the IPv6 half, for a whole lease from now.
    func confirm(_ details: IPv6Details, _ entry: LineEntry) {
        var details = details
        details.expires = self.lease(entry)
        details.stale.removeAll { $0.until <= self.world.utcNow() }
        if let presentation = entry.presentation, entry.ppp == nil {
            self.perform(entry, .session(.presented(presentation)))
        }
        self.perform(entry, .session(.confirmIPv6(details, at: self.world.utcNow())))
    }

    /// A stored session may hold what is no longer configured: hosts are told that it is worth nothing, and get something else.
    func reviseIPv6(_ entry: LineEntry) {
        guard let held = entry.session?.record.ipv6 else { return }
        guard let policy = self.world.configuration.ipv6[entry.line.accessDomain] else {
            return self.perform(
                entry, .session(.dropIPv6(keeping: nil, .configuration, at: self.world.utcNow())))
        }
        let isServed = { (resource: IPv6Details.Resource) in
            self.world.prefixPools[resource.pool].map { pool in
                pool.contains(resource.prefix) || self.isGranted(resource.prefix, entry)
            } ?? false
        }
        var kept = held
        kept.bindings.removeAll { !isServed($0.resource) }
        var isRenumbered = false
        if let link = held.link, !isServed(link) {
            kept.link = nil
            kept.stale.append(.init(prefix: link.prefix, until: self.world.utcNow() + Self.staleTime))
            kept.stale = kept.stale.suffix(Self.staleLimit)
            isRenumbered = true
        }
        guard kept != held else { return }
        self.perform(entry, .session(.confirmIPv6(kept, at: self.world.utcNow())))
        if isRenumbered, policy.linkPool != nil { self.serve(entry, .link) }
    }

    /// RFC 4862 5.5.3 e: hosts keep a prefix that long whatever they are told.
    private static var staleTime: Seconds { 7_200 }
    private static var staleLimit: Int { 8 }

    private func isGranted(_ prefix: IPv6Prefix, _ entry: LineEntry) -> Bool {
        guard let grant = entry.session?.record.grant.ipv6 else { return false }
        return prefix == grant.linkPrefix || prefix == grant.delegatedPrefix
            || grant.address.map { IPv6Prefix(holding: $0, length: 128) == prefix } == true
    }

    /// The half, or the session, is over: the client is told that nothing lasts.
    func endIPv6(_ entry: LineEntry) {
        if entry.dhcpv6 != nil { self.perform(entry, .dhcpv6(.ended)) }
        guard entry.advertised != 0, let policy = self.world.configuration.ipv6[entry.line.accessDomain] else { return }
        entry.advertised = 0
        self.count(.ipv6Ended)
        // Who has hung up hears nothing.
        guard entry.ppp?.isPeerGone != true else { return }
        self.advertise(entry, to: .allNodes, policy, isLast: true)
    }

    // MARK: Advertisements

    /// Tells the line what holds now; who has no session, that there is a router.
    private func advertise(
        _ entry: LineEntry, to source: IPv6Address, _ policy: IPv6Policy, isLast: Bool = false
    ) {
        let message: [UInt8]
        if let record = entry.session?.record, let profile = self.world.profile(of: record) {
            message = self.advertisement(record.ipv6, profile, policy, mtu: record.ppp?.mtu, isLast: isLast)
        } else {
            message = Self.encode(policy.router, stale: [])
        }
        self.send(message, to: source, entry, policy)
    }

    /// What a line is told (ICMPv6, checksum 0).
    private func advertisement(
        _ details: IPv6Details?, _ profile: ServiceProfile, _ policy: IPv6Policy, mtu: UInt16?, isLast: Bool = false
    ) -> [UInt8] {
        var router = policy.router
        if !profile.ipv6.dns.isEmpty { router.nameServers = profile.ipv6.dns }
        router.routes = profile.ipv6.advertisedRoutes.map { RouteInformation(prefix: $0, lifetime: policy.valid.value) }
        if let mtu { router.mtu = min(router.mtu ?? .max, UInt32(mtu)) }
        if let link = details?.link {
            router.prefixes = [
                PrefixInformation(
                    prefix: link.prefix, isOnLink: policy.isOnLink, isAutonomous: link.prefix.length == 64,
                    validLifetime: policy.valid.value, preferredLifetime: policy.preferred.value)
            ]
        }
        return Self.encode(isLast ? router.withdrawn : router, stale: details?.stale.map(\.prefix) ?? [])
    }

    private static func encode(_ router: RouterConfiguration, stale: [IPv6Prefix]) -> [UInt8] {
        NeighborDiscoveryCodec.encode(.routerAdvertisement(router.advertisement(stale: stale)))
    }

    private func send(_ message: [UInt8], to source: IPv6Address, _ entry: LineEntry, _ policy: IPv6Policy) {
        // On the link between us and a layer-3 relay they would be the relay's to hear.
        guard entry.line.relay == .zero, let path = self.replyPath(entry) else { return }
        self.count(.advertisements)
        let destination = source.isUnspecified ? IPv6Address.allNodes : source
        // The line's MAC address also on what is for all nodes: lines that share a link do not see each other's (RFC 6085).
        let frame = path.frame(pppoeID: entry.line.pppoeID) { frame in
            encodeICMPv6(from: policy.linkLocal, to: destination, message: message, into: &frame)
        }
        let requires = entry.session.flatMap { session -> SessionRequirement? in
            guard session.isActive, session.record.ipv6?.link != nil else { return nil }
            return SessionRequirement(id: session.record.id, generation: session.record.generation)
        }
        self.world.link.inject(node: path.node, port: path.port, frame: frame, requires: requires)
    }

    /// Tells the line what has changed, once it is in force.
    func advertiseIfChanged(_ entry: LineEntry) {
        let announced = entry.announcement
        entry.announcement = nil
        guard let record = entry.session?.record, record.ipv6 != nil,
            let policy = self.world.configuration.ipv6[entry.line.accessDomain]
        else { return }
        let message: [UInt8]
        if let announced, announced.generation == record.generation, !announced.message.isEmpty {
            message = announced.message
        } else {
            guard let profile = self.world.profile(of: record) else { return }
            message = self.advertisement(record.ipv6, profile, policy, mtu: record.ppp?.mtu)
        }
        var hash = StableHash()
        hash.mix(message)
        guard hash.value != entry.advertised else { return }
        entry.advertised = hash.value
        guard record.ipv6?.link != nil || record.ipv6?.stale.isEmpty == false else { return }
        self.send(message, to: .allNodes, entry, policy)
    }

    // MARK: For the node

    /// What the node holds of a session's IPv6; nil: nothing.
    func attachment(_ record: SessionRecord, _ profile: ServiceProfile) -> IPv6Attachment? {
        guard let details = record.ipv6, !details.isEmpty,
            let policy = self.world.configuration.ipv6[record.line.accessDomain]
        else { return nil }
        var prefixes: [IPv6Prefix] = []
        for prefix in details.resources.map(\.prefix) + profile.ipv6.routes
        where !prefixes.contains(prefix) && prefixes.count < IPv6Attachment.prefixLimit {
            prefixes.append(prefix)
        }
        guard record.line.relay == .zero else {
            return IPv6Attachment(
                prefixes: prefixes, leaseExpires: details.expires, valid: policy.valid, activityRenews: false)
        }
        let message = self.advertisement(details, profile, policy, mtu: record.ppp?.mtu)
        let fits = IPv6Attachment.advertisementLimits.contains(message.count)
        return IPv6Attachment(
            prefixes: prefixes, leaseExpires: details.expires, valid: policy.valid,
            activityRenews: details.link != nil, routerAdvertisement: fits ? message : [],
            advertisementInterval: fits ? policy.advertisementInterval : 0,
            dhcpv6: self.knownClient(details, profile, policy, record))
    }
}
