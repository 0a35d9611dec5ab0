// SPDX-License-Identifier: Apache-2.0
// The public side of a private address: a block of ports when the address is reserved, more when the node asks, all back in the end.

import Addressing
import BNGCore
import Fleet
import NIOCore
import Subscribers

/// A pool of public addresses.
public struct NATPoolPolicy: Sendable {
    public var name: String
    public var vrf: VRF
    /// Name of the NAT policy; empty for one to one.
    public var policy: String
    public var addresses: [IPv4Range]
    public var ports: ClosedRange<UInt16>
    public var layout: PortBlockPool.Layout
    /// How long blocks rest (RFC 6888 REQ-8).
    public var quarantine: Seconds
    public var alarmPercent: Int

    public init(
        name: String, vrf: VRF, policy: String, addresses: [IPv4Range], ports: ClosedRange<UInt16>,
        layout: PortBlockPool.Layout, quarantine: Seconds, alarmPercent: Int
    ) {
        self.name = name
        self.vrf = vrf
        self.policy = policy
        self.addresses = addresses
        self.ports = ports
        self.layout = layout
        self.quarantine = quarantine
        self.alarmPercent = alarmPercent
    }
}

extension NATGrant {
    var blocks: [PortBlock] {
        guard !self.isOneToOne else { return [PortBlock(address: self.address, firstPort: 0, ports: 0)] }
        return self.firstPorts.map { PortBlock(address: self.address, firstPort: $0, ports: self.blockPorts) }
    }

    /// As a node holds it.
    var attachment: NATAttachment {
        guard !self.isOneToOne else { return NATAttachment(oneToOne: self.address) }
        return NATAttachment(
            policyID: namedObjectID(.natPolicy, self.policy), address: self.address, blockPorts: self.blockPorts,
            firstPorts: self.firstPorts,
            forwards: self.forwards.map { forward in
                NATForward(
                    transport: forward.isTCP ? .tcp : .udp, outsidePort: forward.outsidePort, inside: forward.inside,
                    insidePort: forward.insidePort)
            })
    }
}

extension LineShard {
    /// The pool that translates an address: the plan's, else the address pool's; public addresses are left alone.
    private func natPool(_ profile: ServiceProfile, _ address: IPv4Address, _ pool: PoolPolicy) -> NATPoolPolicy? {
        guard address.isPrivate, let name = profile.nat ?? pool.nat, name != ServiceProfile.noNAT else { return nil }
        return self.world.natPools[name]
    }

    /// An address is reserved: it is offered with its public side, or not at all.
    func reserved(
        _ entry: LineEntry, _ address: IPv4Address, _ pool: PoolPolicy, giveBack: @escaping @Sendable () -> Void
    ) {
        guard let record = entry.session?.record, let profile = self.world.profile(of: record),
            let natPool = self.natPool(profile, address, pool)
        else { return self.offer(entry, address, pool, nil) }
        let now = self.world.utcNow()
        let owner = self.world.owner(of: natPool.name)
        let (id, ports) = (record.id, natPool.layout.blockPorts)
        owner.loop.execute {
            let result = owner.takeBlock(natPool.name, for: id, inside: address, now: now)
            self.loop.execute {
                guard let entry = self.byID[id], entry.session?.isEnding == false else {
                    giveBack()
                    return self.giveBackBlocks(natPool.name, of: id, until: .zero)
                }
                switch result {
                case .success(let block):
                    let grant = NATGrant(
                        pool: natPool.name, policy: natPool.policy, address: block.address, blockPorts: ports,
                        firstPorts: ports == 0 ? [] : [block.firstPort])
                    self.offer(entry, address, pool, grant)
                case .failure:
                    // Nobody is served untranslated who is to be translated.
                    self.count(.natExhausted)
                    giveBack()
                    entry.denial = .unavailable
                    self.perform(entry, .session(.addressRefused))
                    self.forgetIfIdle(entry)
                }
                self.flush()
            }
        }
    }

    private func offer(_ entry: LineEntry, _ address: IPv4Address, _ pool: PoolPolicy, _ nat: NATGrant?) {
        self.perform(entry, .session(.addressReserved(address, pool: pool.name, vrf: pool.vrf, nat: nat)))
    }

    /// The session holds its public side no more.
    func giveBack(_ grant: NATGrant, used: Bool, _ entry: LineEntry) {
        guard let id = entry.session?.record.id else { return }
        let rest = used ? self.world.natPools[grant.pool]?.quarantine ?? 120 : 0
        let until = used ? self.world.utcNow() + rest : .zero
        self.giveBackBlocks(grant.pool, of: id, until: until)
        if used { self.due.operations.append(.restNAT(NATRest(grant: grant, until: until), of: id)) }
    }

    private func giveBackBlocks(_ pool: String, of id: SessionID, until: UTCTime) {
        let owner = self.world.owner(of: pool)
        owner.loop.execute { owner.giveBackBlocks(pool, of: id, until: until) }
    }

    /// What the session has not got of an extension is free at once: the node never held it, or has already let go of it.
    func refuse(_ refused: NATGrant, _ entry: LineEntry) {
        guard let record = entry.session?.record else { return }
        self.count(.natExtensionRefused)
        let held = record.nat?.address == refused.address ? record.nat?.firstPorts ?? [] : []
        let until = self.world.utcNow() + (self.world.natPools[refused.pool]?.quarantine ?? 120)
        let owner = self.world.owner(of: refused.pool)
        let returned = refused.without(held)
        guard !returned.firstPorts.isEmpty else { return }
        for block in returned.blocks {
            owner.loop.execute { owner.giveBack(block, refused.pool, of: record.id, until: until) }
        }
        // It may have been on disk as the session's.
        self.due.operations.append(.restNAT(NATRest(grant: returned, until: until), of: record.id))
    }

    /// The node has used most of what the session has.
    func portsLow(_ id: SessionID) {
        self.loop.preconditionInEventLoop()
        guard let entry = self.byID[id], let session = entry.session, session.isActive,
            let grant = session.record.nat, !grant.isOneToOne,
            self.world.natPools[grant.pool]?.layout.blockPorts == grant.blockPorts
        else { return }
        let now = self.world.utcNow()
        let inside = session.record.address
        let owner = self.world.owner(of: grant.pool)
        owner.loop.execute {
            let result = owner.takeAnotherBlock(grant.pool, for: id, inside: inside, now: now)
            self.loop.execute {
                self.extended(id, grant, result)
                self.flush()
            }
        }
    }

    private func extended(
        _ id: SessionID, _ grant: NATGrant, _ result: Result<PortBlock, PortBlockPool.DenialError>
    ) {
        guard case .success(let block) = result else { return self.count(.natExtensionRefused) }
        let wider = grant.extended(by: block.firstPort)
        guard let entry = self.byID[id], entry.session != nil, block.address == grant.address else {
            let owner = self.world.owner(of: grant.pool)
            return owner.loop.execute { owner.giveBack(block, grant.pool, of: id, until: .zero) }
        }
        self.count(.natExtended)
        self.perform(entry, .session(.extendNAT(wider)))
    }
}

extension PoolOwner {
    /// The configuration has been checked: a pool that cannot be cut gives nothing.
    func add(_ policy: NATPoolPolicy) {
        self.loop.preconditionInEventLoop()
        self.natPools[policy.name] = PortBlockPool(
            name: policy.name, addresses: policy.addresses, ports: policy.ports, layout: policy.layout,
            alarmPercent: policy.alarmPercent)
    }

    func takeBlock(
        _ pool: String, for session: SessionID, inside: IPv4Address, now: UTCTime
    ) -> Result<PortBlock, PortBlockPool.DenialError> {
        self.loop.preconditionInEventLoop()
        return self.natPools[pool]?.take(for: session, inside: inside, now: now)
            ?? .failure(PortBlockPool.DenialError(reason: .exhausted))
    }

    /// Only beside what the session has: one that has given everything back meanwhile would keep it for ever.
    func takeAnotherBlock(
        _ pool: String, for session: SessionID, inside: IPv4Address, now: UTCTime
    ) -> Result<PortBlock, PortBlockPool.DenialError> {
        self.loop.preconditionInEventLoop()
        guard self.natPools[pool]?.blocks(of: session).isEmpty == false else {
            return .failure(PortBlockPool.DenialError(reason: .limit))
        }
        return self.takeBlock(pool, for: session, inside: inside, now: now)
    }

    func giveBackBlocks(_ pool: String, of session: SessionID, until: UTCTime) {
        self.loop.preconditionInEventLoop()
        self.natPools[pool]?.release(session, until: until)
    }

    func giveBack(_ block: PortBlock, _ pool: String, of session: SessionID, until: UTCTime) {
        self.loop.preconditionInEventLoop()
        self.natPools[pool]?.release(block, of: session, until: until)
    }

    /// False if another session holds one of its ports.
    func restore(_ grant: NATGrant, of session: SessionID) -> Bool {
        self.loop.preconditionInEventLoop()
        return self.natPools[grant.pool]?.restore(grant.blocks, session: session) ?? true
    }

    func restore(_ rest: NATRest) {
        self.loop.preconditionInEventLoop()
        for block in rest.grant.blocks { self.natPools[rest.grant.pool]?.restore(resting: block, until: rest.until) }
    }

    func natUsage() -> [(String, PortBlockPool.Usage)] {
        self.loop.preconditionInEventLoop()
        return self.natPools.map { ($0.key, $0.value.usage) }
    }
}

extension SubscriberPlane {
    /// Usage of each NAT pool, by name.
    public func natUsage() async throws -> [(name: String, usage: PortBlockPool.Usage)] {
        var usage: [(name: String, usage: PortBlockPool.Usage)] = []
        for owner in self.world.owners {
            usage += try await owner.loop.submit { owner.natUsage().map { (name: $0.0, usage: $0.1) } }.get()
        }
        return usage.sorted { $0.name < $1.name }
    }

    /// A node says that a session has used most of its ports.
    public func natPortsLow(_ id: SessionID) {
        for shard in self.shards { shard.loop.execute { shard.portsLow(id) } }
    }
}
