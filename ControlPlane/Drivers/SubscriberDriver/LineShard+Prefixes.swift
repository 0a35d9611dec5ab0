// SPDX-License-Identifier: Apache-2.0
// Prefixes and IPv6 addresses from their pools and back: the one AAA names, else one of the pool AAA, the plan or the domain names.

import Addressing
import BNGCore
import DHCPv6
import Subscribers

/// A session wants a prefix of one pool.
struct PrefixRequest: Sendable {
    var pool: String
    var line: LineKey
    var session: SessionID
    /// AAA's choice.
    var granted: IPv6Prefix?
    var wish: IPv6Prefix?
    /// Only the wish will do.
    var isExact: Bool
    var now: UTCTime
}

extension LineShard {
    /// What a line may be given a prefix for.
    enum PrefixUse { case link, address, delegation }

    /// The pool a session's prefix of a kind comes from, and the one AAA names for it. nil: there is none of that kind.
    private func source(
        _ use: PrefixUse, _ policy: IPv6Policy, _ grant: IPv6Grant, link: IPv6Address?, isFirst: Bool
    ) -> (pool: PrefixPoolPolicy, granted: IPv6Prefix?)? {
        let named: (prefix: IPv6Prefix?, pool: String?)
        switch use {
        case .link: named = (grant.linkPrefix, grant.linkPool ?? policy.linkPool)
        case .address:
            named = (
                grant.address.map { IPv6Prefix(holding: $0, length: 128) },
                grant.addressPool ?? self.world.addressPool(policy, link: link)
            )
        case .delegation: named = (grant.delegatedPrefix, grant.delegationPool ?? policy.delegationPool)
        }
        if let prefix = named.prefix, isFirst {
            return self.world.owningPool(of: prefix, vrf: policy.vrf).map { ($0, prefix) }
        }
        return named.pool.flatMap { self.world.prefixPools[$0] }.map { ($0, nil) }
    }

    /// Takes a prefix; `then` is called once, on this loop, with what became of it.
    func takePrefix(
        _ use: PrefixUse, _ entry: LineEntry, iaid: UInt32 = 0, wish: IPv6Prefix?, isExact: Bool, isFirst: Bool,
        then: @escaping @Sendable (Result<IPv6Details.Resource, DenialError>) -> Void
    ) {
        guard let record = entry.session?.record, let policy = self.world.configuration.ipv6[record.line.accessDomain],
            let profile = self.world.profile(of: record),
            let source = self.source(use, policy, profile.ipv6, link: entry.dhcpv6?.link, isFirst: isFirst)
        else { return then(.failure(.unknownPool)) }
        let request = PrefixRequest(
            pool: source.pool.name, line: entry.line.withoutPPPoE, session: record.id, granted: source.granted,
            wish: wish, isExact: isExact, now: self.world.utcNow())
        if let external = source.pool.external, source.pool.decidesOutside(source.granted) {
            guard let id = ExternalLeaseID(use, record.id, iaid) else { return then(.failure(.notGiven)) }
            return self.acquire(request, id, from: source.pool, external, policy, entry, then: then)
        }
        let owner = self.world.owner(of: request.pool)
        let finish: @Sendable (Result<IPv6Prefix, DenialError>) -> Void = { result in
            if case .failure(let denial) = result, denial.reason == .exhausted { self.count(.prefixesExhausted) }
            then(result.map { IPv6Details.Resource(prefix: $0, pool: request.pool) })
        }
        // The usual case on one shard: pool and line live on the same loop, and no message is needed.
        if owner.loop.inEventLoop { return finish(owner.take(request)) }
        owner.loop.execute {
            let result = owner.take(request)
            self.loop.execute {
                finish(result)
                if let entry = self.byID[request.session] { self.forgetIfIdle(entry) }
                self.flush()
            }
        }
    }

    /// Gives back what was never promised.
    func withdraw(_ resource: IPv6Details.Resource, session: SessionID, line: LineKey) {
        let owner = self.world.owner(of: resource.pool)
        owner.loop.execute {
            owner.giveBack(resource, session: session, line: line.withoutPPPoE, until: .zero, declined: false)
            self.world.releaseOutside(resource, session, declined: false)
        }
    }

    /// The node holds these no more: they rest, and are remembered for the line.
    func giveBack(_ resources: [IPv6Details.Resource], _ entry: LineEntry) {
        guard let record = entry.session?.record else { return }
        self.sessionIndex.forget(resources.map(\.prefix), of: record.id)
        guard record.generation > 0 else {
            for resource in resources { self.withdraw(resource, session: record.id, line: record.line) }
            return
        }
        let declined = entry.dhcpv6?.declined ?? []
        let rests = self.bindings(resources, record, declined: declined)
        for (resource, rest) in zip(resources, rests) {
            let owner = self.world.owner(of: resource.pool)
            owner.loop.execute {
                owner.giveBack(
                    resource, session: record.id, line: rest.line, until: rest.reservedUntil, declined: rest.declined)
                self.world.releaseOutside(resource, record.id, declined: rest.declined)
            }
        }
        entry.dhcpv6?.declined = []
        // What a session held at its end is remembered with the end.
        let remembered = rests.filter { self.world.prefixPools[$0.pool]?.external == nil }
        if record.phase != .terminated, !remembered.isEmpty {
            self.due.operations.append(.rest(nil, prefixes: remembered))
        }
    }

    /// What is to be remembered of resources that a session no longer holds.
    func bindings(
        _ resources: [IPv6Details.Resource], _ record: SessionRecord, declined: Set<IPv6Prefix> = []
    ) -> [StickyPrefixBinding] {
        let from = record.ended == .zero ? self.world.utcNow() : record.ended
        return resources.map { resource in
            let pool = self.world.prefixPools[resource.pool]
            let isDeclined = declined.contains(resource.prefix)
            let rest = (isDeclined ? pool?.declineRest : pool?.quarantine) ?? 0
            return StickyPrefixBinding(
                line: record.line.withoutPPPoE, vrf: record.vrf, pool: resource.pool, prefix: resource.prefix,
                reservedUntil: from + rest, declined: isDeclined)
        }
    }
}

extension PoolOwner {
    func add(_ policy: PrefixPoolPolicy) {
        self.loop.preconditionInEventLoop()
        self.prefixPools[policy.name] = PrefixPool(
            name: policy.name, vrf: policy.vrf, prefixes: policy.prefixes, length: policy.length,
            statics: policy.statics, excluded: policy.excluded, alarmPercent: policy.alarmPercent,
            remembers: policy.external == nil)
    }

    func take(_ request: PrefixRequest) -> Result<IPv6Prefix, DenialError> {
        self.loop.preconditionInEventLoop()
        return self.prefixPools[request.pool]?.take(request) ?? .failure(.unknownPool)
    }

    func giveBack(
        _ resource: IPv6Details.Resource, session: SessionID, line: LineKey, until: UTCTime, declined: Bool
    ) {
        self.loop.preconditionInEventLoop()
        if declined {
            self.prefixPools[resource.pool]?.quarantine(resource.prefix, session: session, line: line, until: until)
        } else {
            self.prefixPools[resource.pool]?.release(resource.prefix, session: session, line: line, until: until)
        }
    }

    /// False if another session holds it already.
    func restore(_ resource: IPv6Details.Resource, _ record: SessionRecord) -> Bool {
        self.loop.preconditionInEventLoop()
        let line = record.line.withoutPPPoE
        return self.prefixPools[resource.pool]?.restore(resource.prefix, session: record.id, line: line) ?? true
    }

    func restore(_ binding: StickyPrefixBinding) {
        self.loop.preconditionInEventLoop()
        self.prefixPools[binding.pool]?.restore(
            StickyPrefix(
                prefix: binding.prefix, line: binding.declined ? nil : binding.line,
                reservedUntil: binding.reservedUntil))
    }
}

extension PrefixPool {
    /// AAA's choice, else the client's if only that will do, else one the pool chooses.
    fileprivate mutating func take(_ request: PrefixRequest) -> Result<IPv6Prefix, DenialError> {
        let (line, session, now) = (request.line, request.session, request.now)
        let insisted = request.isExact ? request.wish : nil
        if let granted = request.granted {
            guard insisted == nil || insisted == granted else { return .failure(.outsidePool) }
            return self.takeGranted(granted, for: line, session: session, now: now)
        }
        if let insisted { return self.takeExactly(insisted, for: line, session: session, now: now) }
        return self.take(for: line, session: session, wish: request.wish, now: now)
    }
}
