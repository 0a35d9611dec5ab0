// SPDX-License-Identifier: Apache-2.0
// The same as LineShard+External for what a client holds by DHCPv6: each of its associations is a lease of its own.

import Addressing
import BNGCore
import DHCPv6
import Subscribers

extension LineShard {
    /// Asks the server, then takes exactly what it gives from the pool. `then` is called once, on this loop.
    func acquire(
        _ request: PrefixRequest, _ id: ExternalLeaseID, from pool: PrefixPoolPolicy, _ external: ExternalPool,
        _ policy: IPv6Policy, _ entry: LineEntry, isAgain: Bool = false,
        then: @escaping @Sendable (Result<IPv6Details.Resource, DenialError>) -> Void
    ) {
        guard let source = self.world.configuration.external, let record = entry.session?.record else {
            return then(.failure(.notGiven))
        }
        var order = record.outsideLease(id, external, policy.valid)
        if external.identity == .client, let client = entry.dhcpv6?.request.message.clientID {
            order.clientID = client.bytes
        }
        order.length = pool.length
        let insisted = request.isExact ? request.wish : nil
        if let granted = request.granted {
            guard insisted == nil || insisted == granted else { return then(.failure(.outsidePool)) }
            (order.wish, order.isExact) = (.v6(granted), true)
        } else if let wish = request.wish, wish.length == pool.length {
            (order.wish, order.isExact) = (.v6(wish), insisted != nil)
        }
        source.acquire(order) { result in
            self.onLoop {
                switch result {
                case .success(let lease):
                    self.take(lease, request, id, pool, policy, isAgain: isAgain, then: then)
                case .failure(let failure):
                    self.count(.externalUnavailable)
                    then(.failure(failure == .wrong ? .outsidePool : .notGiven))
                }
                self.settle(request.session)
            }
        }
    }

    private func take(
        _ lease: ExternalLease, _ request: PrefixRequest, _ id: ExternalLeaseID, _ pool: PrefixPoolPolicy,
        _ policy: IPv6Policy, isAgain: Bool,
        then: @escaping @Sendable (Result<IPv6Details.Resource, DenialError>) -> Void
    ) {
        guard case .v6(let prefix) = lease.resource else { return then(.failure(.notGiven)) }
        var exact = request
        (exact.granted, exact.wish, exact.isExact) = (nil, prefix, true)
        let resource = IPv6Details.Resource(prefix: prefix, pool: pool.name)
        let owner = self.world.owner(of: pool.name)
        owner.loop.execute { [exact] in
            // What this very session is about to give back is nobody else's, but not free yet.
            let isOwn = owner.prefixPools[pool.name]?.holder(of: prefix) == exact.session
            let result = isOwn ? .failure(.held) : owner.take(exact)
            self.loop.execute {
                if case .success = result {
                    then(.success(resource))
                } else {
                    self.world.releaseOutside(resource, exact.session, declined: !isOwn)
                    self.unusable(request, id, pool, policy, isLast: isOwn || isAgain, then: then)
                }
                self.settle(request.session)
            }
        }
    }

    private func unusable(
        _ request: PrefixRequest, _ id: ExternalLeaseID, _ pool: PrefixPoolPolicy, _ policy: IPv6Policy, isLast: Bool,
        then: @escaping @Sendable (Result<IPv6Details.Resource, DenialError>) -> Void
    ) {
        self.count(.externalUnusable)
        guard !isLast, let external = pool.external, let entry = self.byID[request.session] else {
            return then(.failure(.notGiven))
        }
        self.acquire(request, id, from: pool, external, policy, entry, isAgain: true, then: then)
    }

    private func settle(_ id: SessionID) {
        if let entry = self.byID[id] { self.forgetIfIdle(entry) }
        self.flush()
    }

    /// A stored session keeps what it holds by DHCPv6.
    func resumeOutsideIPv6(_ record: SessionRecord) {
        guard let source = self.world.configuration.external, let details = record.ipv6,
            let policy = self.world.configuration.ipv6[record.line.accessDomain]
        else { return }
        let now = self.world.utcNow()
        // A PPPoE session has been promised nothing of the kind.
        let promised = details.expires == .zero ? now + policy.valid : details.expires
        for binding in details.bindings {
            guard let pool = self.world.prefixPools[binding.resource.pool], let external = pool.external,
                pool.decidesOutside(binding.resource.prefix)
            else { continue }
            let id = ExternalLeaseID(
                session: record.id, kind: binding.isDelegation ? .delegation : .address, iaid: binding.iaid)
            var order = record.outsideLease(id, external, policy.valid)
            order.length = pool.length
            source.resume(order, .v6(binding.resource.prefix), until: max(promised, now + 60))
        }
    }
}

extension ExternalLeaseID {
    /// nil: a line's own prefix, which servers outside do not give.
    init?(_ use: LineShard.PrefixUse, _ session: SessionID, _ iaid: UInt32) {
        switch use {
        case .link: return nil
        case .address: self.init(session: session, kind: .address, iaid: iaid)
        case .delegation: self.init(session: session, kind: .delegation, iaid: iaid)
        }
    }
}

extension PrefixPoolPolicy {
    /// What AAA names outside the pool is not the server's to give.
    func decidesOutside(_ granted: IPv6Prefix?) -> Bool {
        self.external != nil && granted.map { prefix in self.prefixes.contains { $0.contains(prefix) } } ?? true
    }
}
