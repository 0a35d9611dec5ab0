// SPDX-License-Identifier: Apache-2.0
// The DHCP servers outside in the words of the subscriber plane.

import AdminContract
import BNGConfiguration
import BNGCore
import DHCPServerDriver
import Logging
import NIOCore
import SubscriberDriver
import Subscribers

struct ExternalServersAdapter: ExternalAddressing {
    let driver: DHCPServerDriver
    let utcNow: @Sendable () -> UTCTime

    func acquire(
        _ request: ExternalLeaseRequest,
        then done: @escaping @Sendable (Result<ExternalLease, ExternalLeaseFailure>) -> Void
    ) {
        self.driver.acquire(LeaseOrder(request)) { result in
            done(
                result.map { ExternalLease(resource: $0.resource, dns: $0.dns) }
                    .mapError { $0 == .otherOffered ? .wrong : .notGiven })
        }
    }

    func resume(_ request: ExternalLeaseRequest, _ resource: IPPrefix, until: UTCTime) {
        let left = until.milliseconds - self.utcNow().milliseconds
        self.driver.resume(LeaseOrder(request), resource, until: .now + .milliseconds(left))
    }

    func release(_ resource: IPPrefix, session: SessionID, of pool: ExternalPool, declined: Bool) {
        self.driver.release(resource, session: session.rawValue, group: pool.group, declined: declined)
    }
}

extension LeaseKey {
    init(_ id: ExternalLeaseID) {
        let kind: Kind =
            switch id.kind {
            case .ipv4: .ipv4
            case .address: .address
            case .delegation: .delegation
            }
        self.init(session: id.session.rawValue, kind: kind, iaid: id.iaid)
    }
}

extension ExternalLeaseID {
    init(_ key: LeaseKey) {
        let kind: Kind =
            switch key.kind {
            case .ipv4: .ipv4
            case .address: .address
            case .delegation: .delegation
            }
        self.init(session: SessionID(rawValue: key.session), kind: kind, iaid: key.iaid)
    }
}

extension LeaseOrder {
    init(_ request: ExternalLeaseRequest) {
        self.init(
            key: LeaseKey(request.id), group: request.pool.group, mac: request.mac, clientID: request.clientID,
            circuitID: request.circuitID, remoteID: request.remoteID, link: request.pool.link,
            minimum: request.minimum)
        (self.wish, self.length, self.isExact) = (request.wish, request.length, request.isExact)
    }
}

extension ControllerConfiguration {
    /// nil: no pool is external.
    func dhcpServerDriver(loop: any EventLoop, logger: Logger) throws -> DHCPServerDriver? {
        guard !self.dhcpServers.isEmpty else { return nil }
        let groups = try self.dhcpServers.flatMap { entry in
            try [(DHCPServerGroup.Family.ipv4, entry.ipv4), (.ipv6, entry.ipv6)].compactMap {
                family, settings -> DHCPServerGroup? in
                guard let settings else { return nil }
                var group = DHCPServerGroup(
                    name: entry.name, family: family,
                    servers: try settings.servers.map { try SocketAddress(ipAddress: $0.host, port: $0.port) },
                    local: try SocketAddress(ipAddress: settings.local.host, port: settings.local.port))
                (group.timeoutMs, group.retries) = (Int64(entry.timeoutMs), entry.retries)
                (group.outstanding, group.holdDownMs) = (entry.outstanding, Int64(entry.holdDownMs))
                return group
            }
        }
        return DHCPServerDriver(groups: groups, loop: loop, logger: logger)
    }

    /// Names of the groups that gave a session what it holds.
    func externalServers(of record: SessionRecord) -> [String] {
        let pools = self.pools.filter { record.address != .zero && $0.name == record.pool }
        let held = Set(record.ipv6?.bindings.map(\.resource.pool) ?? [])
        let names =
            pools.compactMap(\.external) + self.prefixPools.filter { held.contains($0.name) }.compactMap(\.external)
        return Set(names).sorted()
    }

    /// The servers a pool's addresses come from.
    func external(_ name: String?, link: IPAddress) -> ExternalPool? {
        guard let entry = self.dhcpServers.first(where: { $0.name == name }) else { return nil }
        return ExternalPool(group: entry.name, identity: entry.identity == .line ? .line : .client, link: link)
    }
}

extension DHCPServersView {
    init(_ group: DHCPGroupStatus) {
        self.init(
            name: group.name, family: group.family.rawValue,
            servers: group.servers.map {
                Server(
                    address: $0.address, state: $0.isAlive ? "alive" : "silent", sent: $0.sent, answered: $0.answered,
                    unanswered: $0.unanswered, silences: $0.silences)
            },
            outstanding: group.outstanding, waiting: group.waiting, held: group.held,
            counters: Dictionary(uniqueKeysWithValues: group.counters.map { ($0.key.rawValue, $0.value) }),
            failures: Dictionary(uniqueKeysWithValues: group.failures.map { ($0.key.rawValue, $0.value) }))
    }
}
