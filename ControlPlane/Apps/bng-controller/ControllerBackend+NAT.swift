// SPDX-License-Identifier: Apache-2.0
// NAT pools and the NAT log for the operator API.

import Addressing
import AdminAPI
import AdminContract
import BNGConfiguration
import BNGCore
import Store
import Subscribers

extension ControllerBackend {
    func natPools() async throws -> [NATPoolView] {
        let usage = try await self.controller.plane.natUsage()
        return self.controller.configuration.natPools.compactMap { pool in
            usage.first { $0.name == pool.name }.map { NATPoolView(pool, $0.usage) }
        }
    }

    func natRecordOutputs() async throws -> [NATRecordOutputView] {
        self.controller.natRecords?.status().map(NATRecordOutputView.init) ?? []
    }

    func natHolders(_ query: NATQuery) async throws -> [NATHolderView] {
        guard let address = IPv4Address(query.address) else {
            throw AdminRefusal.invalid("address: expected an IPv4 address, found \"\(query.address)\"")
        }
        let time = query.atMs.map { UTCTime(milliseconds: $0) } ?? Controller.utcNow()
        return try self.controller.store.natHolders(vrf: query.vrf, address: address, port: query.port, at: time)
            .map(NATHolderView.init)
    }
}

extension NATPoolView {
    init(_ pool: NATPoolSettings, _ usage: PortBlockPool.Usage) {
        let layout =
            switch pool.layout {
            case .oneToOne: "one-to-one"
            case .dynamic: "dynamic"
            case .deterministic: "deterministic"
            }
        self.init(
            name: pool.name, vrf: pool.vrf, layout: layout, policy: pool.policy, blockPorts: pool.layout.blockPorts,
            addresses: usage.addresses, blocks: usage.total, held: usage.held, resting: usage.resting,
            exhausted: usage.exhausted, alarm: usage.alarm)
    }
}

extension NATHolderView {
    init(_ entry: NATLogEntry) {
        self.init(
            vrf: entry.vrf, address: entry.address.description, firstPort: entry.ports.lowerBound,
            lastPort: entry.ports.upperBound, fromMs: entry.granted.milliseconds,
            toMs: entry.returned?.milliseconds ?? 0, session: entry.session.description, node: entry.node,
            line: entry.line, user: entry.userName, inside: entry.inside.description, pool: entry.pool)
    }
}
