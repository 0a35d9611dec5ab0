// SPDX-License-Identifier: Apache-2.0
// bngctl show: everything that only reads. Sessions are in ShowSessions.

import AdminContract
import ArgumentParser

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Show nodes, ports, sessions, plans, pools, NAT, AAA, DHCP servers, punts, drops, audits or the history.",
        subcommands: [
            ShowNodes.self, ShowPorts.self, ShowSessions.self, ShowSession.self, ShowPools.self, ShowPunts.self,
            ShowDrops.self, ShowAudit.self, ShowHistory.self,
            ShowAAA.self, ShowDHCPServers.self, ShowPlans.self, ShowNAT.self,
            ShowNATRecords.self,
        ])
}

struct ShowNodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "nodes", abstract: "Nodes and their agents.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/nodes", as: [NodeView].self) { nodes in
            var table = Table(
                "NODE", "STATE", "SINCE", "LANES", ">INTENDED", ">INSTALLED", ">QUEUED", ">AUDIT", ">UNKNOWN",
                ">REFUSED", "IDENTITY", "AGENT", "NOTE")
            for node in nodes {
                var notes: [String] = []
                if !node.refusal.isEmpty { notes.append("identity refused: \(node.refusal)") }
                if node.termIsStale { notes.append("obeys a controller with a higher term") }
                if abs(node.clockSkewMs) > 1_000 { notes.append("clock differs by \(node.clockSkewMs) ms") }
                if node.pendingDeletes > 0 { notes.append("\(node.pendingDeletes) deletes unconfirmed") }
                if node.lostEvents > 0 { notes.append("\(node.lostEvents) events lost") }
                if node.state == "connected", !node.synchronized { notes.append("synchronizing") }
                table.add(
                    node.name, node.state, Words.distance(node.connectedSinceMs), node.lanes.joined(separator: ","),
                    "\(node.sessionsIntended)", "\(node.sessionsInstalled)", "\(node.queued)",
                    "\(node.auditDifferences)", "\(node.quarantined)", "\(node.refused)", node.identity,
                    node.agentVersion.isEmpty ? "" : "\(node.agentVersion) (1.\(node.contractMinor))",
                    notes.joined(separator: "; "))
            }
            return table.text
        }
    }
}

struct ShowPorts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ports", abstract: "Ports of all connected nodes.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/ports", as: [PortView].self) { ports in
            var table = Table("NODE", "PORT", "ROLE", "DOMAIN", "LINK", "XDP", "MAC", ">MTU", "DRIVER")
            for port in ports {
                table.add(
                    port.node, port.name, port.role, port.accessDomain, port.linkUp ? "up" : "down", port.mode,
                    port.mac, "\(port.mtu)", port.driver)
            }
            return table.text
        }
    }
}

struct ShowPools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pools", abstract: "Address pools and their use.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/pools", as: [PoolView].self) { pools in
            var table = Table(
                "POOL", ">VRF", "PREFIX", "GATEWAY", "MODE", ">TOTAL", ">HELD", ">RETURNED", ">UNUSED", ">EXTERNAL",
                ">USED", ">EXHAUSTED", "NOTE")
            for pool in pools {
                let used = pool.total == 0 ? 0 : pool.held * 100 / pool.total
                table.add(
                    pool.name, "\(pool.vrf)", pool.prefix, pool.gateway, pool.allocation, "\(pool.total)",
                    "\(pool.held)", "\(pool.returned)", "\(pool.unused)", "\(pool.external)", "\(used)%",
                    "\(pool.exhausted)", pool.alarm ? "ALARM: nearly used up" : "")
            }
            return table.text
        }
    }
}

struct ShowPunts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "punts", abstract: "Packets carried to the controller, by reason, and what became of them.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/punts", as: [CounterView].self) { counterTable($0, "COUNTER") }
    }
}

struct ShowDrops: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drops", abstract: "Packets that did not go out, by port and reason.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/drops", as: [CounterView].self) { counterTable($0, "REASON") }
    }
}

private func counterTable(_ counters: [CounterView], _ name: String) -> String {
    var table = Table("NODE", "PORT", name, ">COUNT")
    for counter in counters { table.add(counter.node, counter.port, counter.name, "\(counter.value)") }
    return table.text
}

struct ShowAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "What the last audit of each node found, unknown sessions and refused objects.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/audit", as: [AuditView].self) { audits in
            audits.map(Self.text).joined(separator: "\n\n")
        }
    }

    private static func text(_ audit: AuditView) -> String {
        var text = "\(audit.node): "
        guard audit.auditedMs > 0 else { return text + "not audited yet" }
        text += "\(audit.differences) differences, \(Words.distance(audit.auditedMs)), audit \(audit.audits)\n"
        var table = Table("FAMILY", ">INTENDED", ">INSTALLED", ">MISSING", ">EXTRA", ">DIFFERENT")
        for family in audit.families {
            table.add(
                family.family, "\(family.intended)", "\(family.installed)", "\(family.missing)", "\(family.extra)",
                "\(family.different)")
        }
        text += table.text
        if !audit.quarantine.isEmpty {
            text += "\nunknown sessions (bngctl clear quarantine \(audit.node)): "
            text += audit.quarantine.prefix(20).joined(separator: " ")
            if audit.quarantine.count > 20 { text += " and \(audit.quarantine.count - 20) more" }
        }
        for refusal in audit.refusals { text += "\nrefused: \(refusal.object): \(refusal.error)" }
        return text
    }
}
