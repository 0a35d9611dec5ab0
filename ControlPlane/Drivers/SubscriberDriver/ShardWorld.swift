// SPDX-License-Identifier: Apache-2.0
// What all shards share: configuration, the owners of the pools, the store, the nodes, the clock. Immutable after init.

import BNGCore
import DHCPv4
import DHCPv6
import Fleet
import NIOCore
import Subscribers
import Synchronization

final class ShardWorld: Sendable {
    /// Session counters a shard gets at a time.
    static let countersPerRequest = 100_000

    let configuration: PlaneConfiguration
    let pools: [String: PoolPolicy]
    let prefixPools: [String: PrefixPoolPolicy]
    let natPools: [String: NATPoolPolicy]
    let owners: [PoolOwner]
    let store: any SessionStoring
    let link: any DataPlaneLink
    let utcNow: @Sendable () -> UTCTime
    let quotas = SessionQuotas()
    private let portMACs = Mutex<[NodeName: [String: MACAddress]]>([:])
    private let userClaims: [UserClaims]
    private let nextCounter: Mutex<UInt64>
    private let accountingSequence: Atomic<UInt64>
    /// Set once, before anything runs.
    private let shards = Mutex<[LineShard]>([])

    init(
        configuration: PlaneConfiguration, owners: [PoolOwner], store: any SessionStoring, link: any DataPlaneLink,
        utcNow: @escaping @Sendable () -> UTCTime
    ) {
        self.configuration = configuration
        self.pools = Dictionary(uniqueKeysWithValues: configuration.pools.map { ($0.name, $0) })
        self.prefixPools = Dictionary(uniqueKeysWithValues: configuration.prefixPools.map { ($0.name, $0) })
        self.natPools = Dictionary(uniqueKeysWithValues: configuration.natPools.map { ($0.name, $0) })
        self.owners = owners
        self.store = store
        self.link = link
        self.utcNow = utcNow
        self.nextCounter = Mutex(configuration.firstSessionCounter)
        self.userClaims = owners.map { UserClaims(loop: $0.loop) }
        self.accountingSequence = Atomic(configuration.aaa.firstAccountingSequence)
    }

    func introduce(_ shards: [LineShard]) { self.shards.withLock { $0 = shards } }

    /// Ends a session wherever it lives.
    func end(_ id: SessionID, cause: TerminateCause) {
        for shard in self.shards.withLock({ $0 }) { shard.loop.execute { shard.end(id, cause: cause) } }
    }

    func learn(_ macs: [String: MACAddress], of node: NodeName) { self.portMACs.withLock { $0[node] = macs } }

    func portMACs(of node: NodeName) -> [String: MACAddress] { self.portMACs.withLock { $0[node] } ?? [:] }

    func claims(of user: String) -> UserClaims {
        var hash = StableHash()
        hash.mix(user.utf8)
        return self.userClaims[Int(hash.value % UInt64(self.userClaims.count))]
    }

    func nextAccountingSequence() -> UInt64 {
        self.accountingSequence.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    func pools(of domain: AccessDomainID) -> [PoolPolicy] {
        (self.configuration.poolsByDomain[domain] ?? []).compactMap { self.pools[$0] }
    }

    /// The pool a line of the domain is served from: the one whose prefix holds the relay's address, else the domain's first.
    func pool(for domain: AccessDomainID, relay: IPv4Address) -> PoolPolicy? {
        let candidates = self.pools(of: domain)
        return candidates.first { relay != .zero && $0.prefix.contains(relay) } ?? candidates.first
    }

    /// What a session is served with; nil if its grant names what is no longer configured.
    func profile(of record: SessionRecord) -> ServiceProfile? {
        try? self.configuration.aaa.catalog.profile(of: record.grant)
    }

    /// The pool whose prefix holds an address, or, for an address of no pool, the VRF's first by name.
    func owningPool(of address: IPv4Address, vrf: VRF) -> PoolPolicy? {
        let pools = self.pools.values.filter { $0.vrf == vrf }
        return pools.first { $0.prefix.contains(address) } ?? pools.min { $0.name < $1.name }
    }

    /// The prefix pool a prefix lies in, or, for one of no pool, the VRF's first by name that gives prefixes of that length.
    func owningPool(of prefix: IPv6Prefix, vrf: VRF) -> PrefixPoolPolicy? {
        let pools = self.prefixPools.values.filter { $0.vrf == vrf && $0.length == prefix.length }
        return pools.first { $0.contains(prefix) } ?? pools.min { $0.name < $1.name }
    }

    /// Where a line's addresses by DHCPv6 come from unless AAA says it: behind a relay the pool around its link-address (RFC 8415
    /// 13.1), if there is one.
    func addressPool(_ policy: IPv6Policy, link: IPv6Address?) -> String? {
        guard let usual = policy.addressPool, let link else { return policy.addressPool }
        let around = self.prefixPools.values.filter { pool in
            pool.length == 128 && pool.vrf == policy.vrf && pool.prefixes.contains { $0.contains(link) }
        }
        return around.map(\.name).min() ?? usual
    }

    func owner(of pool: String) -> PoolOwner {
        var hash = StableHash()
        hash.mix(pool.utf8)
        return self.owners[Int(hash.value % UInt64(self.owners.count))]
    }

    /// Takes counters from the common supply, makes that durable, then hands them to the shard.
    func requestCounters(for shard: LineShard) {
        let range = self.nextCounter.withLock { next in
            defer { next += UInt64(Self.countersPerRequest) }
            return next..<(next + UInt64(Self.countersPerRequest))
        }
        self.store.submit([.reserveSessionCounters(limit: range.upperBound)]) { durable in
            guard durable else { return }
            shard.loop.execute { shard.addCounters(range) }
        }
    }
}

extension PlaneCounter {
    init(_ counter: DHCPv4ServerMachine.Counter) {
        switch counter {
        case .malformed: self = .malformedDHCP
        case .duplicate: self = .duplicates
        case .otherServer: self = .otherServer
        case .ignored: self = .ignored
        case .silent: self = .silent
        }
    }

    init(_ counter: DHCPv6ServerMachine.Counter) {
        switch counter {
        case .malformed: self = .malformedDHCPv6
        case .busy: self = .dhcpv6Busy
        case .otherServer: self = .otherServer
        case .ignored, .useMulticast, .silent: self = .dhcpv6Ignored
        }
    }

    init(_ refusal: IPv6Frame.Refusal) {
        switch refusal {
        case .malformedFrame: self = .malformedFrame
        case .malformedND: self = .malformedND
        case .malformedDHCPv6: self = .malformedDHCPv6
        case .untrustedRelay: self = .untrustedRelay
        case .relayWithoutMAC: self = .relayWithoutMAC
        }
    }

    init(_ refusal: PPPoEFrame.Refusal) {
        switch refusal {
        case .malformedFrame: self = .malformedFrame
        case .malformedPPPoE, .notPPPoE: self = .malformedPPPoE
        case .forgedCircuit: self = .forgedCircuit
        }
    }

    init(_ refusal: DHCPRequestFrame.Refusal) {
        switch refusal {
        case .malformedFrame: self = .malformedFrame
        case .notDHCP: self = .notDHCP
        case .malformedDHCP: self = .malformedDHCP
        case .forgedOption82: self = .forgedOption82
        case .untrustedRelay: self = .untrustedRelay
        case .hardwareMismatch: self = .hardwareMismatch
        }
    }
}
