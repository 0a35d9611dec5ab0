// SPDX-License-Identifier: Apache-2.0
// NAT pools and the NAT log for the operator API.

import Addressing
import AdminAPI
import AdminContract
import BNGConfiguration
import BNGCore
import Store
import SubscriberDriver
import Subscribers

extension ControllerBackend {
    func natPools() async throws -> [NATPoolView] {
        let usage = try await self.controller.plane.natUsage()
        return self.controller.configuration.natPools.compactMap { pool in
            usage.first { $0.name == pool.name }.map { NATPoolView(pool, $0.usage) }
        }
    }

    func forwards(of id: String) async throws -> [NATForwardView]? {
        guard let id = SessionID(id), let record = try await self.controller.plane.session(id) else { return nil }
        return record.nat.map { grant in
            grant.forwards.sorted { ($0.outsidePort, $0.isTCP ? 0 : 1) < ($1.outsidePort, $1.isTCP ? 0 : 1) }
                .map { NATForwardView($0, of: grant) }
        } ?? []
    }

    func forward(_ text: String, to id: String) async throws -> Bool {
        guard let wanted = PortForward(text) else {
            throw AdminRefusal.invalid("the forward: expected \(PortForward.expected), found \"\(text)\"")
        }
        guard let id = SessionID(id) else { return false }
        do {
            return try await self.controller.plane.forward(wanted, to: id)
        } catch let problem as PortForwardProblem {
            throw AdminRefusal.conflict(problem.description)
        }
    }

    func unforward(_ text: String, of id: String) async throws -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "tcp" || parts[0] == "udp", let port = UInt16(parts[1]) else {
            throw AdminRefusal.invalid("the forward: expected PROTOCOL:PORT such as tcp:5000, found \"\(text)\"")
        }
        guard let id = SessionID(id) else { return false }
        do {
            return try await self.controller.plane.unforward(isTCP: parts[0] == "tcp", outsidePort: port, of: id)
        } catch let problem as PortForwardProblem {
            throw AdminRefusal.conflict(problem.description)
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
