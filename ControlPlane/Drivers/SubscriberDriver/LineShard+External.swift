// SPDX-License-Identifier: Apache-2.0
// Addresses of pools that a server outside decides about: asked of the server, then taken from the pool, so that no two sessions
// here ever hold the same; given back to both; lost when the server says so.

import Addressing
import BNGCore
import DHCPv4
import Subscribers

extension LineShard {
    /// Asks the server. What it gives and the pool does not let us use is declined, and another one asked for, once.
    func acquire(
        _ request: AddressRequest, from pool: PoolPolicy, _ external: ExternalPool, _ profile: ServiceProfile,
        _ candidates: ArraySlice<PoolPolicy>, isAgain: Bool = false
    ) {
        guard let source = self.world.configuration.external, let record = self.byID[request.session]?.session?.record,
            let order = self.order(request, pool, external, record)
        else { return self.answered(request, .failure(.outsidePool), profile, candidates) }
        source.acquire(order) { result in
            self.onLoop {
                switch result {
                case .success(let lease): self.take(lease, request, pool, profile, candidates, isAgain: isAgain)
                case .failure(let failure):
                    self.count(.externalUnavailable)
                    self.denied(request, failure == .wrong ? .outsidePool : .notGiven, profile, candidates)
                }
                self.flush()
            }
        }
    }

    private func denied(
        _ request: AddressRequest, _ denial: DenialError, _ profile: ServiceProfile,
        _ candidates: ArraySlice<PoolPolicy>
    ) {
        self.answered(request, .failure(denial), profile, candidates)
        if let entry = self.byID[request.session] { self.forgetIfIdle(entry) }
    }

    private func take(
        _ lease: ExternalLease, _ request: AddressRequest, _ pool: PoolPolicy, _ profile: ServiceProfile,
        _ candidates: ArraySlice<PoolPolicy>, isAgain: Bool
    ) {
        guard case .v4(let prefix) = lease.resource else { return }
        var exact = request
        (exact.granted, exact.wish, exact.exact) = (nil, prefix.address, true)
        let owner = self.world.owner(of: pool.name)
        owner.loop.execute { [exact] in
            // What this very session is about to give back is nobody else's, but not free yet.
            let isOwn = owner.holder(of: exact) == exact.session
            let result = isOwn ? .failure(.held) : owner.take(exact)
            self.loop.execute {
                if case .success = result {
                    let served = self.provision(request.session, lease) ?? profile
                    self.answered(request, result, served, candidates)
                } else if isOwn {
                    self.world.releaseOutside(pool.name, request.session, prefix.address, declined: false)
                    self.denied(request, .notGiven, profile, candidates)
                } else {
                    self.decline(prefix.address, request, pool, profile, candidates, isAgain: isAgain)
                }
                if let entry = self.byID[request.session] { self.forgetIfIdle(entry) }
                self.flush()
            }
        }
    }

    /// The session's profile with the DNS servers that came with the lease; nil: none came.
    private func provision(_ id: SessionID, _ lease: ExternalLease) -> ServiceProfile? {
        let dns = lease.dns.compactMap { address -> IPv4Address? in
            if case .v4(let address) = address { return address }
            return nil
        }
        guard !dns.isEmpty, let entry = self.byID[id] else { return nil }
        self.perform(entry, .session(.provisioned(dns: dns)))
        return entry.session.flatMap { self.world.profile(of: $0.record) }
    }

    private func decline(
        _ address: IPv4Address, _ request: AddressRequest, _ pool: PoolPolicy, _ profile: ServiceProfile,
        _ candidates: ArraySlice<PoolPolicy>, isAgain: Bool
    ) {
        self.count(.externalUnusable)
        self.world.releaseOutside(pool.name, request.session, address, declined: true)
        guard !isAgain, let external = pool.external else {
            return self.denied(request, .notGiven, profile, candidates)
        }
        self.acquire(request, from: pool, external, profile, candidates, isAgain: true)
    }

    /// nil: the client insists on another address than AAA.
    private func order(
        _ request: AddressRequest, _ pool: PoolPolicy, _ external: ExternalPool, _ record: SessionRecord
    ) -> ExternalLeaseRequest? {
        var order = record.outsideLease(.init(session: record.id, kind: .ipv4), external, pool.template.lease)
        let insisted = request.exact ? request.wish : nil
        if let granted = request.granted {
            guard insisted == nil || insisted == granted else { return nil }
            (order.wish, order.isExact) = (IPPrefix(.v4(granted), length: 32), true)
        } else if let wish = request.wish {
            guard pool.prefix.contains(wish) else { return insisted == nil ? order : nil }
            (order.wish, order.isExact) = (IPPrefix(.v4(wish), length: 32), insisted != nil)
        }
        return order
    }

    // MARK: After a restart

    /// A stored session keeps what a server outside has granted it, if that can still be extended.
    func resumeOutside(_ record: SessionRecord) {
        self.resumeOutsideIPv6(record)
        guard let source = self.world.configuration.external, record.address != .zero,
            let pool = self.world.pools[record.pool], let external = pool.external,
            pool.decidesOutside(record.address), let held = IPPrefix(.v4(record.address), length: 32)
        else { return }
        let order = record.outsideLease(.init(session: record.id, kind: .ipv4), external, pool.template.lease)
        // A PPPoE session has been promised nothing of the kind.
        let promised = record.leaseExpires == .zero ? self.world.utcNow() + pool.template.lease : record.leaseExpires
        source.resume(order, held, until: max(promised, self.world.utcNow() + 60))
    }

    // MARK: Lost

    func lostOutside(_ lease: ExternalLeaseID) {
        self.loop.preconditionInEventLoop()
        guard let entry = self.byID[lease.session], let session = entry.session, !session.isEnding else { return }
        self.count(.externalLost)
        let now = self.world.utcNow()
        switch lease.kind {
        // IPCP cannot take an address back: the link goes with it.
        case .ipv4 where entry.ppp != nil: self.perform(entry, .session(.end(.leaseLost, at: now)))
        case .ipv4:
            self.perform(entry, .session(.dropIPv4(.leaseLost, at: now)))
            self.abandonIfQuiet(entry)
        case .address, .delegation:
            var details = session.intendedIPv6
            details?.bindings.removeAll { $0.isDelegation == (lease.kind == .delegation) && $0.iaid == lease.iaid }
            self.perform(entry, .session(.dropIPv6(keeping: details, .leaseLost, at: now)))
            self.abandonIfQuiet(entry)
        }
        self.flush()
    }
}

extension ShardWorld {
    /// Gives an address back to its server, if its pool has one.
    func releaseOutside(_ pool: String, _ session: SessionID, _ address: IPv4Address, declined: Bool) {
        guard let external = self.pools[pool]?.external, let resource = IPPrefix(.v4(address), length: 32) else {
            return
        }
        self.configuration.external?.release(resource, session: session, of: external, declined: declined)
    }

    /// Likewise of a prefix or an IPv6 address.
    func releaseOutside(_ resource: IPv6Details.Resource, _ session: SessionID, declined: Bool) {
        guard let external = self.prefixPools[resource.pool]?.external else { return }
        self.configuration.external?.release(
            .v6(resource.prefix), session: session, of: external, declined: declined)
    }
}

extension PoolPolicy {
    /// An address that AAA names outside the pool is not the server's to give.
    func decidesOutside(_ granted: IPv4Address?) -> Bool {
        self.external != nil && granted.map { self.prefix.contains($0) } ?? true
    }
}

extension SessionRecord {
    /// What a server outside is told of the session.
    func outsideLease(
        _ id: ExternalLeaseID, _ pool: ExternalPool, _ lease: Seconds
    ) -> ExternalLeaseRequest {
        let facts = self.facts()
        let says = !facts.circuitID.isEmpty || !facts.remoteID.isEmpty
        let isIPv4 = id.kind == .ipv4
        var order = ExternalLeaseRequest(
            id: id, pool: pool, mac: self.line.mac, clientID: isIPv4 ? self.clientID : self.ipv6?.clientID ?? [],
            circuitID: says ? facts.circuitID : Array(facts.portID.utf8), remoteID: facts.remoteID,
            minimum: Seconds(UInt32(min(2 * UInt64(lease.value), UInt64(UInt32.max)))))
        if pool.identity == .line {
            let line = order.circuitID + order.remoteID
            // Type 0: not a hardware address (RFC 2132 9.14).
            order.clientID = isIPv4 ? [0] + line : Self.uniqueID(of: line)
        } else if isIPv4, self.line.pppoeID != 0 {
            order.clientID = []
        }
        return order
    }

    /// A DUID-UUID of the custom version (RFC 6355, RFC 9562 5.8), the same at every start.
    private static func uniqueID(of line: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for salt in [1, 2] as [UInt8] {
            var hash = StableHash()
            hash.mix(salt)
            hash.mix(line)
            bytes.appendBigEndian(hash.value)
        }
        bytes[6] = 0x80 | bytes[6] & 0x0f
        bytes[8] = 0x80 | bytes[8] & 0x3f
        return [0, 4] + bytes
    }
}
