// SPDX-License-Identifier: Apache-2.0
// What all shards share: configuration, the owners of the pools, the store, the nodes, the clock. Immutable after init.

import BNGCore
import DHCPv4
import Fleet
import NIOCore
import Subscribers
import Synchronization

final class ShardWorld: Sendable {
    /// Session counters a shard gets at a time.
    static let countersPerRequest = 100_000

    let configuration: PlaneConfiguration
    let pools: [String: PoolPolicy]
    let owners: [PoolOwner]
    let store: any SessionStoring
    let link: any DataPlaneLink
    let utcNow: @Sendable () -> UTCTime
    private let nextCounter: Mutex<UInt64>

    init(
        configuration: PlaneConfiguration, owners: [PoolOwner], store: any SessionStoring, link: any DataPlaneLink,
        utcNow: @escaping @Sendable () -> UTCTime
    ) {
        self.configuration = configuration
        self.pools = Dictionary(uniqueKeysWithValues: configuration.pools.map { ($0.name, $0) })
        self.owners = owners
        self.store = store
        self.link = link
        self.utcNow = utcNow
        self.nextCounter = Mutex(configuration.firstSessionCounter)
    }

    /// The pool a line of the domain is served from: the one whose prefix holds the relay's address, else the domain's first.
    func pool(for domain: AccessDomainID, relay: IPv4Address) -> PoolPolicy? {
        let candidates = (self.configuration.poolsByDomain[domain] ?? []).compactMap { self.pools[$0] }
        return candidates.first { relay != .zero && $0.prefix.contains(relay) } ?? candidates.first
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

extension InstalledSession {
    init(_ record: SessionRecord, templateID: UInt64) {
        self.init(
            line: record.line, tags: record.tags, relayMAC: record.relayMAC, vrf: record.vrf, address: record.address,
            poolTemplateID: templateID, clientID: record.clientID, option82: record.option82,
            leaseExpires: record.leaseExpires)
    }
}
