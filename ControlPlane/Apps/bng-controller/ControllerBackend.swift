// SPDX-License-Identifier: Apache-2.0
// What operators ask, answered from the drivers' snapshots.

import AdminAPI
import AdminContract
import AgentDriver
import BNGConfiguration
import BNGCore
import Fleet
import SubscriberDriver
import Subscribers

struct ControllerBackend: AdminBackend {
    let controller: Controller

    init(_ controller: Controller) {
        self.controller = controller
    }

    func nodes() async throws -> [NodeView] { await self.controller.server.status().map(NodeView.init) }

    func ports() async throws -> [PortView] {
        let configuration = self.controller.configuration
        return await self.controller.server.status().flatMap { node in
            let settings = configuration.nodes.first { $0.name == node.name }?.ports ?? []
            return node.ports.map { port in
                PortView(
                    port, node: node.name,
                    accessDomain: settings.first { $0.name == port.name }?.accessDomain ?? "")
            }
        }
    }

    func sessions(_ query: SessionQuery) async throws -> SessionPage {
        let after = query.after.flatMap(SessionID.init(_:))
        let records = try await self.controller.plane.sessions(after: after, limit: query.limit + 1) { record in
            (query.node.map { $0 == record.node } ?? true) && (query.pool.map { $0 == record.pool } ?? true)
                && (query.mac.map { $0.lowercased() == record.line.mac.description } ?? true)
                && (query.address.map { record.holds(address: $0) } ?? true)
                && (query.user.map { $0 == record.grant.userName } ?? true)
        }
        let page = records.prefix(query.limit)
        return SessionPage(
            sessions: page.map { self.view($0) }, next: records.count > page.count ? page.last?.id.description : nil)
    }

    func session(_ id: String) async throws -> SessionView? {
        guard let id = SessionID(id) else { return nil }
        guard let record = try await self.controller.plane.session(id) else {
            guard let ended = try self.controller.store.endedSession(id) else { return nil }
            return try self.withNotes(self.view(ended), id)
        }
        var view = self.view(record)
        if let live = try? await self.controller.server.sessionCounters(node: record.node, ids: [id]).first {
            view.counters = .init(live, base: record.counterBase)
        }
        return try self.withNotes(view, id)
    }

    private func withNotes(_ view: SessionView, _ id: SessionID) throws -> SessionView {
        var view = view
        view.notes = try self.controller.store.notes(of: id).map {
            SessionView.Note(atMs: $0.at.milliseconds, kind: $0.kind.rawValue, text: $0.text)
        }
        return view
    }

    func pools() async throws -> [PoolView] {
        let usage = try await self.controller.plane.poolUsage()
        let configuration = self.controller.configuration
        return configuration.pools.compactMap { pool in
            usage.first { $0.name == pool.name }.map { PoolView(pool, $0.usage) }
        }
            + configuration.prefixPools.compactMap { pool in
                usage.first { $0.name == pool.name }.map { PoolView(pool, $0.usage) }
            }
    }

    func punts() async throws -> [CounterView] {
        var views: [CounterView] = []
        for node in await self.controller.server.status() {
            let traffic = node.traffic
            func add(_ name: String, _ value: UInt64) {
                if value > 0 { views.append(CounterView(node: node.name, port: "", name: name, value: value)) }
            }
            for (puntClass, count) in traffic.punts { add("received.\(puntClass)", count) }
            for (reason, count) in traffic.puntReasons { add("reason.\(reason)", count) }
            add("dropped_by_agent", traffic.puntsDropped)
            add("injected", traffic.injects)
            add("injects_dropped", traffic.injectsDropped)
            for (key, value) in node.counters where key.name.hasPrefix("punt.") || key.name.hasPrefix("inject.") {
                views.append(CounterView(node: node.name, port: key.port, name: key.name, value: value))
            }
        }
        for (counter, value) in try await self.controller.plane.counters() where value > 0 {
            views.append(CounterView(node: "", port: "", name: "controller.\(counter.rawValue)", value: value))
        }
        for (counter, value) in try await self.controller.plane.pppCounters() where value > 0 {
            views.append(CounterView(node: "", port: "", name: "controller.ppp.\(counter.rawValue)", value: value))
        }
        return views.sorted { ($0.node, $0.port, $0.name) < ($1.node, $1.port, $1.name) }
    }

    func drops() async throws -> [CounterView] {
        await self.controller.server.status().flatMap { node in
            node.counters.filter { $0.key.name.hasPrefix("drop.") }.map { key, value in
                CounterView(node: node.name, port: key.port, name: String(key.name.dropFirst(5)), value: value)
            }
        }.sorted { ($0.node, $0.port, $0.name) < ($1.node, $1.port, $1.name) }
    }

    func audits() async throws -> [AuditView] { await self.controller.server.status().map(AuditView.init) }

    func history(beforeMs: Int64?, user: String?, limit: Int) async throws -> [SessionView] {
        let before = beforeMs.map { UTCTime(milliseconds: $0) }
        return try self.controller.store.history(before: before, user: user, limit: limit).map { self.view($0) }
    }

    func aaa() async throws -> AAAView { try await self.controller.aaa.view() }

    func dhcpServers() async throws -> [DHCPServersView] {
        await self.controller.dhcpServers?.status().map(DHCPServersView.init) ?? []
    }

    func plans() async throws -> [PlanView] {
        self.controller.configuration.plans.map { plan in
            PlanView(
                name: plan.name, version: plan.version, rateUpBps: plan.rateUp?.bitsPerSecond ?? 0,
                rateDownBps: plan.rateDown?.bitsPerSecond ?? 0, filter: plan.filter ?? "",
                sessionTimeoutSeconds: plan.sessionTimeout.value, idleTimeoutSeconds: plan.idleTimeout.value,
                pools: plan.pools, sessionsPerUser: plan.sessionsPerUser, isGarden: plan.isGarden)
        }
    }

    func clearSession(_ id: String) async throws -> Bool {
        guard let id = SessionID(id) else { return false }
        return try await self.controller.plane.clear(id)
    }

    func clearQuarantine(node: String) async throws -> Int? {
        guard self.controller.configuration.nodes.contains(where: { $0.name == node }) else { return nil }
        return try await self.controller.server.clearQuarantine(node: node)
    }

    func audit() async throws -> Int {
        self.controller.server.audit()
        return await self.controller.server.status().count { $0.reachability == .connected }
    }

    func obstacles() async -> [String] {
        self.controller.started.load(ordering: .acquiring) ? [] : ["the store is being loaded"]
    }

    func metrics() async -> String { await self.controller.metrics.exposition() }

    private func view(_ record: SessionRecord) -> SessionView {
        let domain = self.controller.configuration.accessDomains.first { $0.id == record.line.accessDomain }
        var view = SessionView(
            record, accessDomain: domain?.name ?? "\(record.line.accessDomain)", catalog: self.controller.catalog)
        view.externalServers = self.controller.configuration.externalServers(of: record)
        return view
    }
}

extension SessionRecord {
    /// Whether it holds an IPv4 address, or a prefix around an IPv6 address, of this text.
    fileprivate func holds(address text: String) -> Bool {
        if let address = IPv4Address(text) { return address == self.address }
        guard let address = IPv6Address(text) else { return false }
        return self.ipv6?.resources.contains { $0.prefix.contains(address) } == true
    }
}
