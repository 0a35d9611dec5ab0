// SPDX-License-Identifier: Apache-2.0
// Finding an address for an authorized session: the pools of its profile in turn, or the address AAA names; and giving it back.

import Addressing
import BNGCore
import DHCPv4
import Subscribers

extension LineShard {
    /// The session machine wants an address.
    func reserveAddress(_ entry: LineEntry) {
        guard let record = entry.session?.record,
            let profile = self.world.profile(of: record)
        else { return self.perform(entry, .session(.addressRefused)) }
        let candidates = self.candidates(entry, profile)
        self.reserve(record.id, profile, candidates[...], refusal: nil)
    }

    /// Pools to try, in order. An address AAA names belongs to one pool of the VRF, whoever asks: two owners could give it twice.
    private func candidates(_ entry: LineEntry, _ profile: ServiceProfile) -> [PoolPolicy] {
        let named = profile.pools.compactMap { self.world.pools[$0] }
        let candidates = named.isEmpty ? [entry.pool].compactMap(\.self) : named
        guard let address = profile.address, let first = candidates.first else { return candidates }
        return [self.world.owningPool(of: address, vrf: first.vrf) ?? first]
    }

    private func reserve(
        _ id: SessionID, _ profile: ServiceProfile, _ candidates: ArraySlice<PoolPolicy>, refusal: DenialError?
    ) {
        guard let entry = self.byID[id] else { return }
        guard let pool = candidates.first else {
            let reason = refusal?.reason ?? .unknownPool
            if reason == .exhausted { self.count(.poolExhausted) }
            entry.denial = reason == .exhausted || reason == .unknownPool ? .unavailable : .wrong
            return self.perform(entry, .session(.addressRefused))
        }
        let user = entry.session?.record.grant.userName ?? ""
        let request = AddressRequest(
            pool: pool.name, line: entry.line, session: id, subscriber: user, granted: profile.address,
            wish: entry.wish.address,
            exact: entry.wish.exact, now: self.world.utcNow())
        if let external = pool.external, pool.decidesOutside(profile.address) {
            return self.acquire(request, from: pool, external, profile, candidates)
        }
        let owner = self.world.owner(of: pool.name)
        // The usual case on one shard: pool and line live on the same loop, and no message is needed.
        if owner.loop.inEventLoop { return self.answered(request, owner.take(request), profile, candidates) }
        owner.loop.execute {
            let result = owner.take(request)
            self.loop.execute {
                self.answered(request, result, profile, candidates)
                if let entry = self.byID[id] { self.forgetIfIdle(entry) }
                self.flush()
            }
        }
    }

    func answered(
        _ request: AddressRequest, _ result: Result<IPv4Address, DenialError>, _ profile: ServiceProfile,
        _ candidates: ArraySlice<PoolPolicy>
    ) {
        switch result {
        case .failure(let denial):
            self.reserve(request.session, profile, candidates.dropFirst(), refusal: denial)
        case .success(let address):
            guard let entry = self.byID[request.session], entry.session?.isEnding == false, let pool = candidates.first
            else {
                // The client has gone meanwhile: nobody else would give the address back.
                return self.giveBack(request, address)
            }
            let variant = TemplateVariant(pool: pool.name, dns: profile.dns, prefixLength: profile.prefixLength)
            // PPP tells its client everything itself.
            guard !variant.isPlain, entry.ppp == nil else {
                entry.serve(from: pool, variant, templateID: pool.templateID)
                return self.reserved(entry, address, pool) { self.giveBack(request, address) }
            }
            self.world.link.prepare(variant) { templateID in
                self.onLoop { self.prepared(request, address, pool, variant, templateID) }
            }
        }
    }

    private func prepared(
        _ request: AddressRequest, _ address: IPv4Address, _ pool: PoolPolicy, _ variant: TemplateVariant,
        _ templateID: UInt64?
    ) {
        guard let entry = self.byID[request.session], entry.session?.isEnding == false else {
            return self.giveBack(request, address)
        }
        entry.serve(from: pool, variant, templateID: templateID)
        self.reserved(entry, address, pool) { self.giveBack(request, address) }
        self.flush()
    }

    private func giveBack(_ request: AddressRequest, _ address: IPv4Address) {
        let owner = self.world.owner(of: request.pool)
        owner.loop.execute {
            owner.giveBack(
                request.pool, address, session: request.session, line: request.line, until: .zero, declined: false)
            self.world.releaseOutside(request.pool, request.session, address, declined: false)
        }
    }

    /// The session holds the address no more. One that had been promised is remembered for the line, and rests for others.
    func giveBack(_ address: IPv4Address, pool: String, declined: Bool, used: Bool, _ entry: LineEntry) {
        guard let record = entry.session?.record else { return }
        self.sessionIndex.forget(address, of: record.id)
        let until = self.restUntil(used: used, declined: declined, pool: self.world.pools[pool], record)
        let owner = self.world.owner(of: pool)
        owner.loop.execute {
            owner.giveBack(pool, address, session: record.id, line: record.line, until: until, declined: declined)
            self.world.releaseOutside(pool, record.id, address, declined: declined)
        }
        // What a session held at its end is remembered with the end.
        guard used, record.phase != .terminated, self.world.pools[pool]?.external == nil else { return }
        let sticky = StickyBinding(
            line: record.line.withoutPPPoE, vrf: record.vrf, pool: pool, address: address, reservedUntil: until,
            declined: declined)
        self.due.operations.append(.rest(sticky, prefixes: []))
    }

    /// End of the quarantine of an address. One that was only offered rests no time at all.
    func restUntil(used: Bool, declined: Bool, pool: PoolPolicy?, _ record: SessionRecord) -> UTCTime {
        guard used, let pool else { return .zero }
        let from = record.ended == .zero ? self.world.utcNow() : record.ended
        return from + (declined ? pool.declineRest : pool.quarantine)
    }
}
